//! One token for all calls, by key and by certificate, renewed before its expiry and on 401.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use digdir::{Credentials, ErrorKind, Reach, Reader, TokenRefusal, Writer};
use jiff::civil::{Date, date};
use p12_keystore::{Certificate, KeyStore, KeyStoreEntry, PrivateKey, PrivateKeyChain};
use rcgen::{CertificateParams, DnType, KeyPair};
use sandbox::Switches;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::{World, options, representation};
use crate::support::{KEY, NAV, SKATT, orgno, scope, two_organizations};

fn grant_scopes(world: &World) -> Vec<String> {
    let exchanges = world.sandbox.exchanges();
    let grants = exchanges.iter().filter(|exchange| exchange.path == "/token");
    grants
        .map(|exchange| {
            let form: Vec<(String, String)> =
                url::form_urlencoded::parse(exchange.body.as_bytes()).into_owned().collect();
            let (_, assertion) = form.iter().find(|(name, _)| name == "assertion").unwrap();
            let claims = assertion.split('.').nth(1).unwrap();
            let claims: Value =
                serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
            claims["scope"].as_str().unwrap().to_owned()
        })
        .collect()
}

#[tokio::test]
async fn a_writer_and_its_reader_share_one_token() {
    let world = World::new().await;
    let writer = world.writer().await;
    let name = scope("etat:a");
    writer.create_scope(&representation("etat:a")).await.unwrap();
    writer.grant(&name, orgno(SKATT)).await.unwrap();
    let reader = writer.reader();
    let (scopes, accesses) = tokio::join!(reader.scopes(), reader.accesses(&name, false));
    assert_eq!((scopes.unwrap().len(), accesses.unwrap().len()), (1, 1));
    writer.revoke(&name, orgno(SKATT)).await.unwrap();
    writer.deactivate_scope(&name).await.unwrap();
    assert_eq!(grant_scopes(&world), ["idporten:scopes.read idporten:scopes.write"]);
    assert_eq!(world.count("GET", "/.well-known/oauth-authorization-server"), 1);
    world.check();
}

#[tokio::test]
async fn a_reader_asks_for_reading_alone() {
    let world = World::new().await;
    world.reader().await.scopes().await.unwrap();
    assert_eq!(grant_scopes(&world), ["idporten:scopes.read"]);
}

pub(crate) fn archive(password: &str) -> Vec<u8> {
    archive_until(password, date(4096, 1, 1))
}

/// An enterprise certificate that is valid until a day begins, with its key.
pub(crate) fn archive_until(password: &str, end: Date) -> Vec<u8> {
    let pem = KEY.private_key_pem.expose_secret();
    let key = KeyPair::from_pkcs8_pem_and_sign_algo(pem, &rcgen::PKCS_RSA_SHA256).unwrap();
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "Etaten");
    params.distinguished_name.push(DnType::CustomDnType(vec![2, 5, 4, 97]), format!("NTRNO-{NAV}"));
    let (month, day) = (u8::try_from(end.month()).unwrap(), u8::try_from(end.day()).unwrap());
    params.not_after = rcgen::date_time_ymd(end.year().into(), month, day);
    let certificate = params.self_signed(&key).unwrap();
    let chain = PrivateKeyChain::new(
        "1",
        PrivateKey::from_der(&key.serialize_der()).unwrap(),
        [Certificate::from_der(certificate.der()).unwrap()],
    );
    let mut store = KeyStore::new();
    store.add_entry("etaten", KeyStoreEntry::PrivateKeyChain(chain));
    store.writer(password).write().unwrap()
}

#[tokio::test]
async fn an_enterprise_certificate_opens_the_api() {
    let mut state = two_organizations();
    state.register_certificate_client(orgno(NAV), "sertifikat");
    let world = World::with(state).await;
    let password = SecretString::from("passord");
    let open = |client: &str| {
        let client = client.parse().unwrap();
        Credentials::from_pkcs12(client, &archive("passord"), &password, None).unwrap()
    };
    let reader = Reader::connect(world.target(), open("sertifikat"), options(), Reach::Scopes)
        .await
        .unwrap();
    assert!(reader.scopes().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_refused_grant_says_what_to_do() {
    let world = World::new().await;
    let kid = Some("ukjent".parse().unwrap());
    let client = "nav".parse().unwrap();
    let wrong = Credentials::from_key(client, &KEY.private_key_pem, kid).unwrap();
    let error = Writer::connect(world.target(), wrong, options(), Reach::Scopes).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Auth);
    assert!(error.to_string().contains("MP-120"), "{error}");
    assert_eq!(error.token_refusal(), Some(TokenRefusal::NoKey), "{error}");
    assert_eq!(world.count("POST", "/token"), 1, "a refusal is not repeated");
}

#[tokio::test]
async fn a_lost_token_request_is_made_again() {
    for fault in ["503", "429:0", "cut-before", "cut-after"] {
        let world = World::new().await;
        world.inject(&format!("POST /token 0 1 {fault}"));
        world.reader().await.scopes().await.unwrap();
        assert_eq!(world.count("POST", "/token"), 2, "{fault}");
    }
}

async fn read_eight_times(reader: &Reader) {
    let reads: Vec<_> = (0..8)
        .map(|_| {
            let reader = reader.clone();
            tokio::spawn(async move { reader.scopes().await })
        })
        .collect();
    for read in reads {
        read.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn one_renewal_serves_all_before_the_token_ends() {
    let world = World::new().await;
    world.sandbox.set_switches(Switches { token_lifetime: 2, ..Switches::default() });
    let reader = world.reader().await;
    read_eight_times(&reader).await;
    assert_eq!(world.count("POST", "/token"), 1);
    // In the last tenth of its lifetime, but not at its end.
    tokio::time::sleep(Duration::from_millis(1_850)).await;
    read_eight_times(&reader).await;
    assert_eq!(world.count("POST", "/token"), 2);
    let refused = world.sandbox.exchanges().iter().filter(|e| e.status == Some(401)).count();
    assert_eq!(refused, 0);
}

#[tokio::test]
async fn a_token_that_ends_in_the_middle_is_renewed_once_for_all() {
    let world = World::new().await;
    let reader = world.reader().await;
    world.inject("GET /scopes 3 1 expire-tokens");
    read_eight_times(&reader).await;
    assert_eq!(world.count("POST", "/token"), 2);
}

#[tokio::test]
async fn a_post_that_met_an_ended_token_is_repeated() {
    let world = World::new().await;
    let writer = world.writer().await;
    world.inject("POST /scopes 0 1 expire-tokens");
    writer.create_scope(&representation("etat:a")).await.unwrap();
    assert_eq!(world.count("POST", "/scopes"), 2);
}

#[tokio::test]
async fn a_second_401_is_an_error() {
    let world = World::new().await;
    let reader = world.reader().await;
    world.inject("GET /scopes 0 2 expire-tokens");
    let error = reader.scopes().await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Auth, Some(401)));
    assert_eq!(world.count("GET", "/scopes"), 2);
}

/// Collects log output.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// At the finest level, including libraries: this test's runtime has one thread, for which the log is set. In
/// a process of its own, because each log statement caches for all threads whether it is enabled, and other
/// tests have no log.
#[tokio::test]
async fn no_token_and_no_grant_is_logged_or_shown() {
    const ALONE: &str = "PORTVAKT_TEST_ALONE";
    if std::env::var_os(ALONE).is_none() {
        let output = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "client::tokens::no_token_and_no_grant_is_logged_or_shown"])
            .env(ALONE, "1")
            .output()
            .unwrap();
        let message = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && message.contains("1 passed"), "{message}");
        return;
    }
    let log = Log::default();
    let to = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || to.clone())
        .finish();
    let logging = tracing::subscriber::set_default(subscriber);
    let world = World::new().await;
    let writer = world.writer().await;
    writer.create_scope(&representation("etat:a")).await.unwrap();
    writer.reader().scopes().await.unwrap();
    drop(logging);
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("/api/v1/scopes") && log.contains("/token"), "{log}");
    // Every JWT begins like this: it is `{"` in base64url.
    assert!(!log.contains("eyJ"), "{log}");
    assert!(!format!("{writer:?} {:?}", writer.reader()).contains("eyJ"));
}
