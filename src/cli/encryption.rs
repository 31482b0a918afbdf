//! `--encrypt-to`: encrypts text with age to its recipients. It needs a build with the feature `age`, as age
//! alone adds a fifth of all crates; a build without it reports that.

use std::ffi::OsStr;

#[cfg(feature = "age")]
pub(super) use age::x25519::Recipient;
use clap::builder::TypedValueParser;
use clap::error::ErrorKind;
use clap::{Arg, Command};
use secrecy::SecretString;

use super::exit::Failure;

/// A recipient, which this build does not support.
#[cfg(not(feature = "age"))]
#[derive(Debug, Clone)]
pub(super) enum Recipient {}

/// Parses a recipient. An invalid value is not repeated: it may be the private identity.
#[derive(Debug, Clone, Copy)]
pub(super) struct RecipientParser;

impl TypedValueParser for RecipientParser {
    type Value = Recipient;

    fn parse_ref(
        &self,
        command: &Command,
        argument: Option<&Arg>,
        value: &OsStr,
    ) -> Result<Recipient, clap::Error> {
        recipient(command, argument, value)
    }
}

#[cfg(feature = "age")]
fn recipient(
    command: &Command,
    argument: Option<&Arg>,
    value: &OsStr,
) -> Result<Recipient, clap::Error> {
    use clap::builder::StringValueParser;
    use domain::secret;
    use secrecy::ExposeSecret as _;
    let text = SecretString::from(StringValueParser::new().parse_ref(command, argument, value)?);
    let text = text.expose_secret();
    text.parse().map_err(|_| {
        let why = format!(
            "the value of --encrypt-to is not an age recipient and is not shown: {}; a recipient is \
             public and begins with age1",
            secret::described(text)
        );
        clap::Error::raw(ErrorKind::ValueValidation, why).with_cmd(command)
    })
}

#[cfg(not(feature = "age"))]
fn recipient(
    command: &Command,
    _argument: Option<&Arg>,
    _value: &OsStr,
) -> Result<Recipient, clap::Error> {
    let why = "this build cannot encrypt: it was built without age, which --encrypt-to needs; install \
               a release, build with --features age, or pipe the output into `age --armor \
               --recipient age1…`";
    Err(clap::Error::raw(ErrorKind::ValueValidation, why).with_cmd(command))
}

/// The text encrypted with age, in ASCII armour; unchanged where there is no recipient.
#[cfg(feature = "age")]
pub(super) fn encrypted(
    text: SecretString,
    recipients: &[Recipient],
) -> Result<SecretString, Failure> {
    use std::io::Write as _;

    use age::armor::{ArmoredWriter, Format};
    use secrecy::ExposeSecret as _;
    if recipients.is_empty() {
        return Ok(text);
    }
    let encrypt = || -> Result<String, Box<dyn std::error::Error>> {
        let recipients = recipients.iter().map(|recipient| recipient as &dyn age::Recipient);
        let encryptor = age::Encryptor::with_recipients(recipients)?;
        let mut out = Vec::new();
        let armor = ArmoredWriter::wrap_output(&mut out, Format::AsciiArmor)?;
        let mut writer = encryptor.wrap_output(armor)?;
        writer.write_all(text.expose_secret().as_bytes())?;
        writer.finish()?.finish()?;
        Ok(String::from_utf8(out)?)
    };
    encrypt()
        .map(SecretString::from)
        .map_err(|error| Failure::Failed(format!("the credentials cannot be encrypted: {error}")))
}

/// The text unchanged: this build accepts no recipients.
#[cfg(not(feature = "age"))]
pub(super) fn encrypted(
    text: SecretString,
    _recipients: &[Recipient],
) -> Result<SecretString, Failure> {
    Ok(text)
}
