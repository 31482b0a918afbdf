//! The state file, its lock, the embedded sandbox and the subcommand.

use std::fs;
use std::time::{Duration, Instant};

use domain::ScopeAttributes;
use sandbox::{ClientKey, Config, Sandbox, SandboxError, State, StateFile, embedded, load_or_seed};

use crate::support::{DIGDIR, NAV, orgno, scope, two_organizations};

async fn start(file: StateFile, state: State) -> Sandbox {
    let persist = Some(file);
    Sandbox::start(Config { persist, ..Config::new(state) }).await.unwrap()
}

fn add(sandbox: &Sandbox, name: &str) {
    let attributes = ScopeAttributes::default();
    sandbox.edit(|state| state.put_scope(orgno(NAV), scope(name), true, &attributes));
}

#[tokio::test]
async fn only_loopback_is_listened_on() {
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:80"] {
        let config =
            Config { listen: address.parse().unwrap(), ..Config::new(two_organizations()) };
        let error = Sandbox::start(config).await.err().unwrap();
        assert!(matches!(error, SandboxError::NotLoopback(_)), "{error}");
    }
    let first = Sandbox::start(Config::new(two_organizations())).await.unwrap();
    let listen = ([127, 0, 0, 1], first.api().port().unwrap()).into();
    let second = Config { listen, ..Config::new(two_organizations()) };
    let error = Sandbox::start(second).await.err().unwrap();
    assert!(matches!(error, SandboxError::Listen { .. }), "{error}");
}

#[tokio::test]
async fn the_state_survives_an_orderly_end_and_a_drop() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("below/state.json");
    let file = StateFile::open(&path).unwrap();
    assert_eq!(file.load().unwrap(), None);
    let sandbox = start(file, two_organizations()).await;
    add(&sandbox, "etat:a");
    let state = sandbox.state();
    sandbox.stop().await.unwrap();
    assert_eq!(State::load(&path).unwrap(), Some(state.clone()));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    let sandbox = start(StateFile::open(&path).unwrap(), state).await;
    add(&sandbox, "etat:b");
    let state = sandbox.state();
    drop(sandbox);
    assert_eq!(State::load(&path).unwrap(), Some(state));
}

#[tokio::test]
async fn a_change_is_in_the_file_soon_without_any_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.json");
    let sandbox = start(StateFile::open(&path).unwrap(), two_organizations()).await;
    add(&sandbox, "etat:a");
    let begun = Instant::now();
    // Generous, as the machine may be busy: what is promised is a tenth of a second.
    while State::load(&path).unwrap().is_none_or(|state| state.scopes.is_empty()) {
        assert!(begun.elapsed() < Duration::from_secs(5));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    drop(sandbox);
}

#[tokio::test]
async fn two_sandboxes_never_share_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.json");
    let sandbox = start(StateFile::open(&path).unwrap(), two_organizations()).await;
    let error = StateFile::open(&path).unwrap_err();
    assert!(matches!(error, SandboxError::InUse(_)), "{error}");
    sandbox.stop().await.unwrap();
    StateFile::open(&path).unwrap();
}

#[test]
fn a_damaged_file_is_named_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.json");
    for text in ["", "{", r#"{"colour": 1}"#, r#"{"scopes": {"etat": {}}}"#] {
        fs::write(&path, text).unwrap();
        let file = StateFile::open(&path).unwrap();
        let error = load_or_seed(&file, orgno(NAV), "Etaten", &[]).unwrap_err();
        assert!(matches!(error, SandboxError::Corrupt { .. }), "{error}");
        let message = error.to_string();
        assert!(message.contains("state.json") && message.contains("delete it"), "{message}");
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
}

#[tokio::test]
async fn the_embedded_sandbox_keeps_its_state_and_its_keys() {
    let folder = tempfile::tempdir().unwrap();
    let prefixes = ["etat".to_owned()];
    let run = |prefixes: Vec<String>| {
        let folder = folder.path().to_owned();
        async move { embedded(&folder, orgno(NAV), "Etaten", &prefixes).await }
    };
    let (sandbox, first) = run(prefixes.to_vec()).await.unwrap();
    add(&sandbox, "etat:a");
    let error = run(prefixes.to_vec()).await.err().unwrap();
    assert!(matches!(error, SandboxError::InUse(_)));
    sandbox.stop().await.unwrap();

    // A process that another test starts at this moment holds the lock too, until it has begun.
    let again = || run(vec!["etat".to_owned(), "ny".to_owned()]);
    let mut started = again().await;
    for _ in 0..50 {
        if !matches!(started, Err(SandboxError::InUse(_))) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        started = again().await;
    }
    let (sandbox, second) = started.unwrap();
    let state = sandbox.state();
    assert_eq!(state.prefixes["ny"], orgno(NAV));
    assert!(state.scopes.contains_key(&scope("etat:a")));
    assert_eq!(first.kid, second.kid);
    let kids: Vec<_> = state.clients["portvakt"].keys.keys().collect();
    assert_eq!(kids, [&second.kid]);
    sandbox.stop().await.unwrap();

    let theirs = || embedded(folder.path(), orgno(DIGDIR), "DigDir", &prefixes);
    let mut error = theirs().await.err().unwrap();
    for _ in 0..50 {
        if !matches!(error, SandboxError::InUse(_)) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        error = theirs().await.err().unwrap();
    }
    assert!(matches!(error, SandboxError::ForeignPrefix { .. }), "{error}");
}

#[tokio::test]
async fn a_damaged_key_of_the_embedded_sandbox_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let client = folder.path().join("sandbox-client-key.pem");
    let signing = folder.path().join("sandbox-signing-key.pem");
    fs::write(&client, "something else").unwrap();
    fs::write(&signing, [0xff, 0xfe]).unwrap();
    let started = embedded(folder.path(), orgno(NAV), "Etaten", &[]).await;
    let (sandbox, registered) = started.unwrap();
    assert_eq!(ClientKey::in_file(&client).unwrap().kid, registered.kid);
    assert_ne!(ClientKey::in_file(&signing).unwrap().kid, registered.kid);
    assert_eq!(fs::read_to_string(folder.path().join(".gitignore")).unwrap(), "*\n");
    #[cfg(unix)]
    for file in [client, signing] {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    sandbox.stop().await.unwrap();
}

#[test]
fn a_key_file_is_used_again_and_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("below/key.pem");
    let made = ClientKey::in_file(&path).unwrap();
    assert_eq!(ClientKey::in_file(&path).unwrap().kid, made.kid);
    let precious: [&[u8]; 2] = [b"something else", &[0xff, 0xfe]];
    for bytes in precious {
        fs::write(&path, bytes).unwrap();
        let error = ClientKey::in_file(&path).unwrap_err();
        assert!(matches!(error, SandboxError::KeyFile(_)), "{error}");
        assert_eq!(fs::read(&path).unwrap(), bytes);
    }
}
