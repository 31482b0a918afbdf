//! Organisation numbers.

use std::str::FromStr;

use super::plain::plain_text;

/// A Norwegian organisation number: nine digits, the last a MOD 11 check digit (Brønnøysundregistrene, "Om
/// organisasjonsnummeret"). No other text can be held, so that it is safe in the path of a URL.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Orgno([u8; 9]);

/// Reason why a text is not an organisation number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OrgnoError {
    /// Not nine ASCII digits.
    #[error("an organisation number has exactly nine digits")]
    NotNineDigits,
    /// Nine digits with a wrong check digit.
    #[error("the check digit is wrong: the last digit would be {expected}")]
    CheckDigit {
        /// The check digit by MOD 11.
        expected: char,
    },
    /// Eight digits for which MOD 11 gives no check digit.
    #[error("no organisation number begins with these eight digits")]
    NoCheckDigit,
}

impl Orgno {
    /// The nine digits.
    pub fn as_str(&self) -> &str {
        // Only ASCII digits are stored.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The number behind a name, if there is one.
    pub fn with_name(self, name: Option<&str>) -> String {
        match name {
            Some(name) => format!("{name} ({self})"),
            None => self.to_string(),
        }
    }

    /// The organisation as the claims of tokens name it (ISO 6523).
    pub fn claim_id(self) -> String {
        format!("0192:{self}")
    }

    /// Whether the number is one of those that Tenor provides for the test environment: they begin with 2 or
    /// 3, real ones with 8 or 9.
    pub fn is_synthetic(self) -> bool {
        matches!(self.0[0], b'2' | b'3')
    }
}

/// The MOD 11 check digit of eight digits; `None` where the rule gives 10.
fn check_digit(first_eight: &[u8]) -> Option<u8> {
    let sum: u32 = first_eight
        .iter()
        .zip([3, 2, 7, 6, 5, 4, 3, 2])
        .map(|(digit, weight)| u32::from(digit - b'0') * weight)
        .sum();
    match 11 - sum % 11 {
        11 => Some(b'0'),
        10 => None,
        digit => u8::try_from(digit).ok().map(|digit| b'0' + digit),
    }
}

impl FromStr for Orgno {
    type Err = OrgnoError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits: [u8; 9] = text.as_bytes().try_into().map_err(|_| OrgnoError::NotNineDigits)?;
        if !digits.iter().all(u8::is_ascii_digit) {
            return Err(OrgnoError::NotNineDigits);
        }
        match check_digit(&digits[..8]) {
            None => Err(OrgnoError::NoCheckDigit),
            Some(expected) if expected != digits[8] => {
                Err(OrgnoError::CheckDigit { expected: char::from(expected) })
            }
            Some(_) => Ok(Self(digits)),
        }
    }
}

plain_text! { Orgno }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn real_and_synthetic_numbers_are_distinguished() {
        for number in ["889640782", "991825827", "974761076", "971040238"] {
            assert!(!number.parse::<Orgno>().unwrap().is_synthetic(), "{number}");
        }
        assert!("313367002".parse::<Orgno>().unwrap().is_synthetic());
    }

    #[test]
    fn what_is_no_number_is_reported_why() {
        use OrgnoError::*;
        let parse = |text: &str| text.parse::<Orgno>().unwrap_err();
        assert_eq!(parse("889640783"), CheckDigit { expected: '2' });
        for text in ["", "88964078", "8896407820", "88964078x", "../889640", "٨٨٩٦"] {
            assert_eq!(parse(text), NotNineDigits, "{text}");
        }
        assert_eq!(parse("900000097"), NoCheckDigit);
    }
}
