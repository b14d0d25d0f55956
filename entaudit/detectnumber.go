package entaudit

// Lengths of card numbers.
const (
	minCard = 13
	maxCard = 19
)

// card returns the end of the card number that begins at i, 0 where none does: 13 to
// 19 digits as an issuer numbers them, with a right check digit, in one or in groups.
func (f *detector) card(i int) int {
	s := f.s
	if i > 1 && (s[i-1] == '.' || s[i-1] == ',') && digit(s[i-2]) {
		return 0
	}
	dashed := i > 1 && s[i-1] == '-' && alnum(s[i-2])
	var digits [maxCard]byte
	n, end := 0, 0
	for at := i; ; at++ {
		groups := at > i
		for at < len(s) && digit(s[at]) {
			if n == maxCard {
				return end
			}
			digits[n] = s[at] - '0'
			n, at = n+1, at+1
		}
		more := at+1 < len(s) && (s[at] == ' ' || s[at] == '-') && digit(s[at+1])
		// Groups with a dash in front or behind are part of a longer number, such as a UUID.
		part := (groups || more) && dashed || groups && at+1 < len(s) && s[at] == '-' && alnum(s[at+1])
		if !part && (at == len(s) || !alnum(s[at])) && issued(digits[:n]) && luhn(digits[:n]) {
			end = at
		}
		if !more {
			return end
		}
	}
}

// issued reports whether cards are issued with such a number.
func issued(digits []byte) bool {
	n := len(digits)
	if n < minCard {
		return false
	}
	four := int(digits[0])*1000 + int(digits[1])*100 + int(digits[2])*10 + int(digits[3])
	two := four / 100
	switch {
	case two/10 == 4: // Visa
		return n == 13 || n == 16 || n == 19
	case two == 34, two == 37: // American Express
		return n == 15
	case two == 36, two == 38, two == 39, 3000 <= four && four <= 3059, four == 3095: // Diners Club
		return n == 14 || n == 16
	case 51 <= two && two <= 55, 2221 <= four && four <= 2720: // Mastercard
		return n == 16
	}
	// JCB, Maestro, Discover, UnionPay.
	return n >= 16 && (3528 <= four && four <= 3589 || two == 50 || 56 <= two && two <= 69)
}

// luhn reports whether the last of the digits is the check digit of the others.
func luhn(digits []byte) bool {
	sum := 0
	for i, d := range digits {
		v := int(d)
		if (len(digits)-i)%2 == 0 {
			if v *= 2; v > 9 {
				v -= 9
			}
		}
		sum += v
	}
	return sum%10 == 0
}

// ibanLengths are the countries that have IBANs, and how long theirs are.
const ibanLengths = "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 " +
	"ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 " +
	"LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 SC31 " +
	"SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30 "

// ibanLength returns how long an IBAN that begins with the letters a and b is, 0 where
// none does.
func ibanLength(a, b byte) int {
	for l := ibanLengths; l != ""; l = l[5:] {
		if l[0] == a&^0x20 && l[1] == b&^0x20 {
			return int(l[2]-'0')*10 + int(l[3]-'0')
		}
	}
	return 0
}

// iban returns the end of the international bank account number that begins at i, 0
// where none does. It may be written in groups of four.
func (f *detector) iban(i int) int {
	s := f.s
	if i+15 > len(s) || !alnum(s[i+1]) || digit(s[i+1]) {
		return 0
	}
	length := ibanLength(s[i], s[i+1])
	var text [34]byte
	n, at := 0, i
	for ; n < length && at < len(s); at++ {
		switch {
		case alnum(s[at]):
			text[n] = s[at]
			n++
		case s[at] != ' ' || s[at-1] == ' ' || n%4 != 0:
			return 0
		}
	}
	if length == 0 || n < length || at < len(s) && alnum(s[at]) || remainder(text[4:n], text[:4]) != 1 {
		return 0
	}
	return at
}

// remainder returns what the parts leave over when they are read as one number, in
// which letters are 10 to 35, and divided by 97.
func remainder(parts ...[]byte) int {
	r := 0
	for _, part := range parts {
		for _, c := range part {
			if digit(c) {
				r = (r*10 + int(c-'0')) % 97
			} else {
				r = (r*100 + int(c&^0x20-'A') + 10) % 97
			}
		}
	}
	return r
}
