//! Speed of validating, comparing, and reading the API.
//!
//! `cargo bench` runs all of it; the ratio and the memory are printed before criterion's figures.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark ends where it fails")]

mod generator;

use std::collections::BTreeSet;
use std::process::Command;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use digdir::{ApiTarget, Credentials, Needs, Options, Reach, Reader};
use domain::{Desired, Past};
use generator::Size;
use plan::plan;
use portvakt::declare;
use portvakt::history::{CommitFiles, History, RefLocation};
use portvakt::render::diagnostics::{Sources, text};
use sandbox::{ClientKey, Config, Sandbox, Switches};
use tempfile::TempDir;

/// 5,000 scopes with 100,000 entries in 500 files.
const LARGE: Size = Size { files: 500, scopes_per_file: 10, consumers_per_scope: 20 };
/// 1,000 scopes with 20,000 entries.
const MEDIUM: Size = Size { files: 100, scopes_per_file: 10, consumers_per_scope: 20 };
const LATENCY: Duration = Duration::from_millis(20);

fn repository(size: Size) -> TempDir {
    let folder = TempDir::new().unwrap();
    generator::write_repository(folder.path(), size, "sandbox").unwrap();
    folder
}

fn read(folder: &TempDir) -> Desired {
    declare::load(folder.path()).unwrap().desired("bench", today()).unwrap().0
}

fn now() -> jiff::Timestamp {
    "2026-11-22T10:00:00Z".parse().unwrap()
}

fn today() -> jiff::civil::Date {
    jiff::civil::date(2026, 11, 22)
}

fn validating(criterion: &mut Criterion) {
    let folder = repository(LARGE);
    let desired = read(&folder);
    let entries: usize = desired.scopes.values().map(|scope| scope.consumers.len()).sum();
    assert_eq!(validate(&folder), "0 found");
    println!(
        "validated {} scopes with {entries} entries; peak memory {}",
        desired.scopes.len(),
        peak_memory()
    );
    let wrong = repository(LARGE);
    generator::break_scopes(wrong.path(), LARGE, 1_000).unwrap();
    assert!(validate(&wrong).contains("\n1000 errors in 500 files"));
    println!("validated with 1,000 errors; peak memory {}", peak_memory());
    let ruled = repository(LARGE);
    generator::add_rules(ruled.path()).unwrap();
    assert_eq!(validate(&ruled), "0 found");
    println!("validated by rules of its own; peak memory {}", peak_memory());
    let mut group = criterion.benchmark_group("validating 5,000 scopes");
    group.sample_size(10);
    group.bench_function("nothing found", |bencher| bencher.iter(|| validate(&folder)));
    group.bench_function("1,000 errors, as text", |bencher| bencher.iter(|| validate(&wrong)));
    group.bench_function("by rules of its own", |bencher| bencher.iter(|| validate(&ruled)));
    group.bench_function("for a plan", |bencher| bencher.iter(|| read(&folder)));
}

/// The work of `validate`: all findings, as text.
fn validate(folder: &TempDir) -> String {
    let found = declare::load(folder.path()).unwrap().check(today());
    match found.is_empty() {
        true => "0 found".to_owned(),
        false => text(&found, &mut Sources::new(folder.path())),
    }
}

/// The peak memory of this process, from Linux.
fn peak_memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or("unknown".to_owned(), |figure| figure.trim().to_owned())
}

/// The reading of a plan's past: the declarations of the last applied commit.
fn looking_back(criterion: &mut Criterion) {
    let folder = repository(LARGE);
    let git = |args: &[&str]| {
        let identity = ["-c", "user.name=a", "-c", "user.email=a@example.invalid"];
        let ran = Command::new("git").args(identity).args(args).current_dir(folder.path()).status();
        assert!(ran.unwrap().success(), "git {args:?}");
    };
    git(&["init", "-q"]);
    git(&["add", "-A"]);
    git(&["commit", "-q", "-m", "Declare"]);
    let history = History::open(folder.path(), "bench", RefLocation::Here, []).unwrap().unwrap();
    let commit = history.commit("HEAD").unwrap();
    let read_commit = || {
        let CommitFiles { settings, yaml, links: _, submodules: _, unread: _, rest } =
            history.files(&commit, "").unwrap();
        let read = declare::read(folder.path(), &settings, yaml, &|path| rest.file(path)).unwrap();
        read.desired("bench", today()).unwrap().0
    };
    assert_eq!(read_commit().scopes.len(), read(&folder).scopes.len());
    let mut group = criterion.benchmark_group("looking back at 5,000 scopes");
    group.sample_size(10).bench_function("a commit", |bencher| bencher.iter(read_commit));
}

fn comparing(criterion: &mut Criterion) {
    let desired = read(&repository(LARGE));
    let live = generator::live(&desired);
    assert!(plan(&desired, &Past::default(), &live, now()).actions.is_empty());
    let mut group = criterion.benchmark_group("comparing");
    group.bench_function("5,000 scopes, nothing differs", |bencher| {
        bencher.iter(|| plan(&desired, &Past::default(), &live, now()));
    });
    let nothing = domain::Live { scopes: [].into(), ..live };
    group.sample_size(10).bench_function("5,000 scopes, nothing is live", |bencher| {
        bencher.iter(|| plan(&desired, &Past::default(), &nothing, now()));
    });
}

fn asking(criterion: &mut Criterion) {
    let desired = read(&repository(MEDIUM));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let key = ClientKey::generate().unwrap();
    let mut state = generator::state(&desired);
    state.register_key(desired.organization, "portvakt", &key);
    let switches = Switches { latency: LATENCY.as_millis() as u64, ..Switches::default() };
    let listen = "127.0.0.1:0".parse().unwrap();
    let config = Config { listen, switches, ..Config::new(state) };
    let sandbox = runtime.block_on(Sandbox::start(config)).unwrap();
    let once = || runtime.block_on(ask(&desired, &sandbox, &key));

    let mut times: Vec<_> = (0..5).map(|_| timed(once)).collect();
    times.sort();
    let requests = 4 + desired.scopes.len();
    let ideal = LATENCY * u32::try_from(requests).unwrap() / 16;
    println!(
        "plan of {} scopes: median {:?} of 5; {requests} requests x {LATENCY:?} / 16 = {ideal:?}; ratio {:.2}",
        desired.scopes.len(),
        times[2],
        times[2].as_secs_f64() / ideal.as_secs_f64(),
    );
    let mut group = criterion.benchmark_group("asking at 20 ms");
    group.sample_size(10).bench_function("1,000 scopes", |bencher| bencher.iter(once));
}

fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

/// The work of `plan` after the declarations were read.
async fn ask(desired: &Desired, sandbox: &Sandbox, key: &ClientKey) {
    let target = ApiTarget::custom(sandbox.api().as_str(), sandbox.issuer()).unwrap();
    let kid = Some(key.kid.parse().unwrap());
    let client = "portvakt".parse().unwrap();
    let credentials = Credentials::from_key(client, &key.private_key_pem, kid).unwrap();
    let reader =
        Reader::connect(target, credentials, Options::default(), Reach::Scopes).await.unwrap();
    let scopes: BTreeSet<_> = desired.scopes.keys().cloned().collect();
    let needs = Needs { scopes: scopes.into(), ..Needs::default() };
    let live = reader.live(&needs, &|_| {}).await.unwrap();
    assert!(plan(desired, &Past::default(), &live, now()).actions.is_empty());
}

criterion_group!(benches, validating, looking_back, comparing, asking);
criterion_main!(benches);
