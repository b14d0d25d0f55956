package entaudit

// Memo returns what make returned for key the first time it was asked. It is how
// generated code keeps what it works out once per Recorder and schema; keys are
// never dropped and must be few. It is safe for concurrent use; make may run more
// than once, one result is kept.
func (r *Recorder) Memo(key any, make func() any) any {
	if v, ok := r.memo.Load(key); ok {
		return v
	}
	v, _ := r.memo.LoadOrStore(key, make())
	return v
}
