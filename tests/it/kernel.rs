//! The notebook kernel: installed, checked, run and removed on a machine of scripts that replace Rust, evcxr and
//! Jupyter.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::SystemTime;

use serde_json::Value;
use tempfile::TempDir;

const RUSTC: &str = "rustc 1.95.0 (stub)";

/// The `cargo metadata` output for the library: topicframe depends on polars, on a crate that is not visible to
/// notebooks, and, for tests only, on a crate that would be.
const METADATA: &str = r#"{"packages": [
  {"id": "t", "name": "topicframe", "version": "0.1.0", "edition": "2024", "targets": [
    {"name": "topicframe", "kind": ["lib"], "src_path": "$sources/src/lib.rs"}]},
  {"id": "p", "name": "polars", "version": "0.55.2", "edition": "2021", "targets": [
    {"name": "polars", "kind": ["lib"], "src_path": "BASE/registry/polars/src/lib.rs"}]},
  {"id": "n", "name": "num-traits", "version": "0.2.0", "edition": "2021", "targets": [
    {"name": "num_traits", "kind": ["lib"], "src_path": "BASE/registry/num/src/lib.rs"}]},
  {"id": "c", "name": "candle-core", "version": "0.11.1", "edition": "2021", "targets": [
    {"name": "candle_core", "kind": ["lib"], "src_path": "/nowhere/candle/src/lib.rs"}]}],
 "resolve": {"nodes": [
  {"id": "t", "features": ["default", "hub", "lazy"], "deps": [
    {"name": "polars", "pkg": "p", "dep_kinds": [{"kind": null}]},
    {"name": "candle_core", "pkg": "c", "dep_kinds": [{"kind": null}]},
    {"name": "num_traits", "pkg": "n", "dep_kinds": [{"kind": "dev"}]}]},
  {"id": "p", "features": ["fmt"], "deps": [{"name": "num_traits", "pkg": "n", "dep_kinds": [{"kind": null}]}]},
  {"id": "n", "features": [], "deps": []}]}}"#;

pub struct Machine {
    base: TempDir,
}

impl Machine {
    /// A machine with nothing installed.
    pub fn bare() -> Self {
        let base = tempfile::tempdir().unwrap();
        for folder in ["bin", "home", "sysroot/lib/rustlib/src/rust/library"] {
            fs::create_dir_all(base.path().join(folder)).unwrap();
        }
        let machine = Machine { base };
        for (path, content) in [
            ("source/Cargo.toml", "[package]\nname = \"topicframe\"\n\n[profile.release]\nlto = \"off\"\n\n[[bin]]\n"),
            ("source/Cargo.lock", "version = 4\n"),
            ("source/src/lib.rs", "pub mod model;\npub mod old;\n"),
            ("source/src/model.rs", "pub struct Model;\n"),
            ("source/src/old.rs", "pub struct Old;\n"),
            ("registry/polars/src/lib.rs", "pub mod frame;\n"),
            ("registry/polars/src/frame.rs", "pub struct Frame;\n"),
            ("registry/polars/src/data.csv", "no Rust\n"),
            ("registry/num/src/lib.rs", "\n"),
        ] {
            machine.file(path, content);
        }
        machine
    }

    /// A machine with everything that the kernel needs.
    pub fn new() -> Self {
        let machine = Machine::bare();
        machine.rustc(RUSTC);
        machine.cargo("/bin/mkdir -p target/release");
        machine.program(
            "evcxr_jupyter",
            "echo \"arguments $*\"\nfor name in EVCXR_TMPDIR EVCXR_CONFIG_DIR RUSTFLAGS LD_LIBRARY_PATH \
             CARGO_PROFILE_DEV_DEBUG_ASSERTIONS CARGO_PROFILE_DEV_OVERFLOW_CHECKS; do\n\
             eval \"echo $name \\\"\\$$name\\\"\"\ndone\necho ready\n\
             while [ -e BASE/busy ]; do /bin/sleep 0.05; done",
        );
        machine.program(
            "jupyter",
            "echo \"$JUPYTER_PATH $*\" > BASE/jupyter.log\n/bin/cat > BASE/cell.rs\necho topicframe is ready",
        );
        machine
    }

    /// A machine with the kernel installed.
    pub fn installed() -> Self {
        let machine = Machine::new();
        machine.install();
        machine
    }

    pub fn base(&self) -> &Path {
        self.base.path()
    }

    pub fn home(&self) -> PathBuf {
        self.base().join("home")
    }

    pub fn file(&self, path: &str, content: &str) -> PathBuf {
        let path = self.base().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    /// A script on the path. Another process writes it: a file that this process has open for writing could be
    /// inherited by a process started in another test, and then could not be executed.
    pub fn program(&self, name: &str, script: &str) {
        let script = script.replace("BASE", &self.base().display().to_string());
        let text = self.file(&format!("scripts/{name}"), &format!("#!/bin/sh\n{script}\n"));
        let program = self.base().join("bin").join(name);
        assert!(Command::new("cp").arg(text).arg(&program).status().unwrap().success());
        fs::set_permissions(program, fs::Permissions::from_mode(0o755)).unwrap();
    }

    pub fn rustc(&self, release: &str) {
        let script = "case \"$*\" in\n--version) echo 'RELEASE';;\n\
                      -vV) printf 'RELEASE\\nhost: x86_64-unknown-linux-gnu\\n';;\n\
                      '--print sysroot') echo BASE/sysroot;;\n\
                      '--print target-libdir') echo BASE/sysroot/stub/lib;;\nesac";
        self.program("rustc", &script.replace("RELEASE", release));
    }

    /// A cargo that only records its arguments, and builds with `build`.
    pub fn cargo(&self, build: &str) {
        let script = "sources=../sources\n[ -d ../sources ] && sources=$(cd ../sources && pwd)\n\
                      echo \"$* [$RUSTFLAGS] $PWD\" >> BASE/cargo.log\ncase \"$1\" in\n\
                      install) echo 'evcxr_jupyter v0.22.0:';;\n\
                      metadata) /bin/cat <<END\nMETADATA\nEND\n;;\nrustc) BUILD;;\nesac";
        self.program("cargo", &script.replace("METADATA", METADATA).replace("BUILD", build));
    }

    pub fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command.current_dir(self.base()).env_clear().env("PATH", self.base().join("bin")).env("HOME", self.home());
        command
    }

    /// The output of a successful command.
    pub fn does(&self, arguments: &[&str]) -> String {
        self.kernel(arguments, true)
    }

    /// The output of a failed command.
    pub fn refuses(&self, arguments: &[&str]) -> String {
        self.kernel(arguments, false)
    }

    pub fn kernel(&self, arguments: &[&str], succeeds: bool) -> String {
        let mut command = self.command(env!("CARGO_BIN_EXE_topicframe"));
        let output = command.arg("kernel").args(arguments).output().unwrap();
        let told = said(&output);
        assert!(output.status.success() == succeeds && !told.contains("panicked"), "{arguments:?}: {told}");
        told
    }

    pub fn install(&self) -> String {
        self.does(&["install", "--source", "source", "--skip-test-cell"])
    }

    /// The output of the doctor, which fails if there is anything to do.
    pub fn doctor(&self) -> String {
        let mut command = self.command(env!("CARGO_BIN_EXE_topicframe"));
        let output = command.args(["kernel", "doctor", "--source", "source"]).output().unwrap();
        let told = said(&output);
        let ill = ["MISSING", "(missing", "nothing: run", "for this Jupyter"].iter().any(|word| told.contains(word));
        let well = !ill && told.contains("nothing: everything is up to date");
        assert_eq!(output.status.success(), well, "{told}");
        told
    }

    pub fn root(&self) -> PathBuf {
        self.home().join(".local/share/topicframe/kernel")
    }

    /// The folder in which the user's Jupyter looks for kernels.
    pub fn kernels(&self) -> PathBuf {
        self.home()
            .join(if cfg!(target_os = "macos") { "Library/Jupyter" } else { ".local/share/jupyter" })
            .join("kernels")
    }

    pub fn kernelspec(&self) -> PathBuf {
        self.kernels().join("topicframe")
    }

    /// Starts the kernel like Jupyter does.
    pub fn start(&self) -> Command {
        let spec = json(&self.kernelspec().join("kernel.json"));
        let argv: Vec<&str> = spec["argv"].as_array().unwrap().iter().map(|part| part.as_str().unwrap()).collect();
        let mut command = self.command(argv[0]);
        command.args(argv[1..].iter().map(|part| part.replace("{connection_file}", "connection 1.json")));
        command
    }
}

pub fn said(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap() + &String::from_utf8(output.stderr.clone()).unwrap()
}

fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(path.as_ref()).unwrap_or_else(|error| panic!("{}: {error}", path.as_ref().display()))
}

fn json(path: &Path) -> Value {
    serde_json::from_str(&read(path)).unwrap()
}

/// Files with their sizes and modification times.
type Files = BTreeMap<PathBuf, (u64, SystemTime)>;

fn files(folder: &Path) -> Files {
    let mut found = Files::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        let data = fs::symlink_metadata(&path).unwrap();
        match data.is_dir() {
            true => found.extend(files(&path)),
            false => drop(found.insert(path, (data.len(), data.modified().unwrap()))),
        }
    }
    found
}

/// Like [`files`], without the two that every installation rewrites and no build depends on.
fn built_from(machine: &Machine) -> Files {
    let mut found = files(&machine.home());
    let root = machine.root();
    found.retain(|path, _| !path.starts_with(root.join("bin")) && *path != root.join("installed.json"));
    found
}

fn changed(before: &Files, after: &Files) -> Vec<String> {
    let names = before.keys().chain(after.keys()).filter(|path| before.get(*path) != after.get(*path));
    let mut names: Vec<String> = names.map(|path| path.display().to_string()).collect();
    names.sort();
    names.dedup();
    names
}

#[test]
fn what_is_missing_is_told_with_its_command_and_nothing_is_written() {
    let machine = Machine::bare();
    let told = machine.refuses(&["install", "--source", "source"]);
    assert!(told.contains("Rust (") && told.contains("https://rustup.rs"), "{told}");

    machine.rustc(RUSTC);
    machine.cargo(":");
    fs::remove_dir_all(machine.base().join("sysroot")).unwrap();
    let told = machine.refuses(&["install", "--source", "source"]);
    assert!(told.contains("rust-src") && told.contains("\n    rustup component add rust-src"), "{told}");
    let command = "\n    cargo install evcxr_jupyter --version 0.22.0 --locked";
    assert!(told.contains(command), "{told}");
    assert!(!told.contains("rustup.rs") && !told.contains("jupyterlab"), "only what is missing and needed: {told}");
    assert!(files(&machine.home()).is_empty(), "{:?}", files(&machine.home()));
    assert_eq!(fs::read_dir(machine.home()).unwrap().count(), 0, "not even a folder was created");
}

#[test]
fn the_doctor_says_what_is_missing_where_nothing_is_installed() {
    let machine = Machine::bare();
    let told = machine.doctor();
    let evcxr = "cargo install evcxr_jupyter --version 0.22.0 --locked";
    for missing in ["see https://rustup.rs", "rustup component add rust-src", evcxr, "pip install jupyterlab"] {
        assert!(told.contains(&format!("MISSING: {missing} (")), "{missing} in {told}");
    }
    assert!(told.contains("nothing: run `topicframe kernel install`"), "{told}");
    assert_eq!(fs::read_dir(machine.home()).unwrap().count(), 0, "it only looks");

    let told = Machine::new().doctor();
    assert!(!told.contains("MISSING") && told.contains(RUSTC) && told.contains("0.22.0"), "{told}");
}

#[test]
fn an_installed_kernel_has_all_that_jupyter_and_evcxr_read() {
    let machine = Machine::new();
    let told = machine.install();
    let root = machine.root();
    assert!(told.contains("Building topicframe") && told.contains("Rust (topicframe)"), "{told}");

    let spec = json(&machine.kernelspec().join("kernel.json"));
    assert_eq!((&spec["display_name"], &spec["language"]), (&"Rust (topicframe)".into(), &"rust".into()));
    assert_eq!(spec["interrupt_mode"], "message");
    let launcher = root.join("bin/topicframe").display().to_string();
    let folder = root.display().to_string();
    let argv = [launcher.as_str(), "kernel", "run", "--folder", &folder, "{connection_file}"];
    assert_eq!(spec["argv"].as_array().unwrap().iter().map(|part| part.as_str().unwrap()).collect::<Vec<_>>(), argv);
    assert!(read(machine.kernelspec().join("logo-svg.svg")).contains("<svg"));
    let mode = fs::metadata(&launcher).unwrap().permissions().mode();
    assert_eq!(mode & 0o111, 0o111, "it is executable");

    let settings = read(root.join("config/evcxr.toml"));
    assert!(settings.contains("prelude = ") && settings.contains("use topicframe::prelude::*;"), "{settings}");
    let front = root.join("front").display().to_string();
    assert!(settings.contains(&format!("topicframe = {{ path = \"{front}\" }}")), "{settings}");

    let front = read(root.join("front/Cargo.toml"));
    let analysis = root.join("analysis/topicframe-0.1.0");
    assert!(front.contains("name = \"topicframe\"") && front.contains(&analysis.display().to_string()), "{front}");
    assert!(front.contains("cfg(topicframe_analysis)"), "cells do not depend on the sources: {front}");
    assert!(read(root.join("front/build.rs")).contains("library/target/release"));
    assert!(read(root.join("front/src/lib.rs")).contains("pub use built::*;"));

    let library = read(root.join("library/Cargo.toml"));
    assert!(
        library.contains("[\"dylib\"]") && library.contains("features = [\"hub\", \"lazy\", \"models\"]"),
        "{library}"
    );
    assert!(
        library.ends_with("[workspace]\n\n[profile.release]\nlto = \"off\"\n\n"),
        "compiled as topicframe: {library}"
    );
    assert_eq!(read(root.join("library/Cargo.lock")), "version = 4\n", "the tested versions");
    assert_eq!(read(root.join("sources/src/model.rs")), "pub struct Model;\n");

    let installed = json(&root.join("installed.json"));
    assert!(installed["rustc"].as_str().unwrap().starts_with(RUSTC));
    assert_eq!(installed["kernelspecs"][0].as_str().unwrap(), machine.kernelspec().display().to_string());

    let log = read(machine.base().join("cargo.log"));
    let build = log.lines().find(|line| line.starts_with("rustc ")).unwrap();
    assert!(
        build.starts_with("rustc --release -- -Cprefer-dynamic [-Cmetadata=") && build.ends_with("/library"),
        "{build}"
    );
    assert!(!machine.base().join("cell.rs").exists(), "no test cell was requested");
}

#[test]
fn the_analysis_sees_the_crates_whose_types_a_notebook_sees_and_no_other() {
    let machine = Machine::installed();
    let analysis = machine.root().join("analysis");
    let mut crates: Vec<String> =
        fs::read_dir(&analysis).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    crates.sort();
    assert_eq!(crates, ["num-traits-0.2.0", "polars-0.55.2", "topicframe-0.1.0"]);
    let topicframe = read(analysis.join("topicframe-0.1.0/Cargo.toml"));
    assert!(topicframe.contains("\"polars\" = { package = \"polars\", path = \"../polars-0.55.2\" }"), "{topicframe}");
    assert!(!topicframe.contains("candle") && !topicframe.contains("num-traits"), "{topicframe}");
    assert!(
        topicframe.contains("default = [\"hub\", \"lazy\"]") && topicframe.contains("\"lazy\" = []"),
        "{topicframe}"
    );
    let polars = read(analysis.join("polars-0.55.2/Cargo.toml"));
    assert!(polars.contains("edition = \"2021\"") && polars.contains("../num-traits-0.2.0"), "{polars}");
    assert_eq!(read(analysis.join("polars-0.55.2/src/frame.rs")), "pub struct Frame;\n");
    assert!(!analysis.join("polars-0.55.2/src/data.csv").exists());
}

#[test]
fn a_second_installation_writes_only_what_has_changed() {
    let machine = Machine::installed();
    let before = built_from(&machine);
    let told = machine.install();
    assert!(told.contains("Building what is new"), "{told}");
    assert_eq!(changed(&before, &built_from(&machine)), [""; 0]);

    machine.file("source/src/model.rs", "pub struct Model(i32);\n");
    let told = machine.install();
    assert!(told.contains("Rebuilding topicframe: its sources have changed"), "{told}");
    let root = machine.root();
    let expected = ["analysis/topicframe-0.1.0/src/model.rs", "sources/src/model.rs"];
    let expected = expected.map(|path| root.join(path).display().to_string());
    assert_eq!(changed(&before, &built_from(&machine)), expected);
    assert_eq!(read(root.join("sources/src/model.rs")), "pub struct Model(i32);\n");

    fs::remove_file(machine.base().join("source/src/old.rs")).unwrap();
    machine.install();
    assert!(!root.join("sources/src/old.rs").exists(), "a removed source is removed from the copy");
}

/// A module that became a folder would exist twice, which is an error in the analysis.
#[test]
fn a_source_that_is_gone_is_gone_from_the_analysis() {
    let machine = Machine::installed();
    fs::remove_file(machine.base().join("source/src/old.rs")).unwrap();
    machine.file("source/src/old/mod.rs", "pub struct Old;\n");
    machine.install();
    let analysis = machine.root().join("analysis/topicframe-0.1.0/src");
    assert!(analysis.join("old/mod.rs").exists());
    assert!(!analysis.join("old.rs").exists(), "the module is there twice");
}

#[test]
fn a_prefix_gets_the_kernelspec_and_the_user_keeps_theirs() {
    let machine = Machine::new();
    machine.does(&["install", "--source", "source", "--skip-test-cell", "--prefix", "my env"]);
    let inside = machine.base().join("my env/share/jupyter/kernels/topicframe");
    assert!(inside.join("kernel.json").is_file());
    assert!(!machine.kernels().exists(), "the user's folder has none");
    let told = machine.doctor();
    assert!(told.contains("not installed for this Jupyter: install it there too"), "{told}");
    let told = machine.does(&["doctor", "--source", "source", "--prefix", "my env"]);
    assert!(told.contains(&inside.display().to_string()) && !told.contains("for this Jupyter"), "{told}");

    machine.install();
    let specs = json(&machine.root().join("installed.json"))["kernelspecs"].as_array().unwrap().len();
    assert_eq!(specs, 2, "both are known");
    machine.does(&["uninstall"]);
    assert!(!inside.exists() && !machine.kernelspec().exists(), "and both are removed");
    assert!(machine.base().join("my env/share/jupyter/kernels").exists(), "the surrounding folders stay");
}

#[test]
fn other_kernels_are_left_alone() {
    let machine = Machine::new();
    let rust = machine.kernels().join("rust");
    fs::create_dir_all(&rust).unwrap();
    fs::write(rust.join("kernel.json"), "{\"argv\": [\"evcxr_jupyter\"]}").unwrap();
    let settings = machine.home().join(".config/evcxr");
    fs::create_dir_all(&settings).unwrap();
    fs::write(settings.join("init.evcxr"), ":opt 3\n").unwrap();
    let before = files(&machine.home());
    machine.install();
    let mut between = files(&machine.home());
    between.retain(|path, _| path.starts_with(&rust) || path.starts_with(&settings));
    assert_eq!(changed(&before, &between), [""; 0]);
    machine.does(&["uninstall"]);
    assert_eq!(changed(&before, &files(&machine.home())), [""; 0], "only our files were added and removed");
}

#[test]
fn uninstalling_removes_what_was_installed_and_nothing_else() {
    let machine = Machine::installed();
    let told = machine.does(&["uninstall"]);
    assert!(told.contains("topicframe's kernel has been removed"), "{told}");
    assert!(!machine.root().exists() && !machine.kernelspec().exists());
    assert!(machine.does(&["uninstall"]).contains("No topicframe kernel was installed"), "twice is no error");
    assert!(machine.doctor().contains("nothing: run"));

    machine.install();
    let own = machine.root().join("my notes.txt");
    fs::write(&own, "mine").unwrap();
    machine.does(&["uninstall"]);
    assert_eq!(read(&own), "mine");
    assert_eq!(files(&machine.home()).len(), 1, "{:?}", files(&machine.home()));
}

#[test]
fn a_kernelspec_of_our_name_that_starts_something_else_stays() {
    let machine = Machine::installed();
    let spec = machine.kernelspec().join("kernel.json");
    fs::write(&spec, "{\"argv\": [\"/usr/bin/other\", \"{connection_file}\"]}").unwrap();
    machine.does(&["uninstall"]);
    assert!(read(&spec).contains("/usr/bin/other"));
    assert!(!machine.root().join("library").exists());

    // A kernelspec that belongs to a kernel in another folder.
    let machine = Machine::new();
    machine.does(&["install", "--source", "source", "--skip-test-cell", "--folder", "other"]);
    machine.does(&["uninstall"]);
    assert!(machine.kernelspec().join("kernel.json").exists() && machine.base().join("other/bin/topicframe").exists());
    machine.does(&["uninstall", "--folder", "other"]);
    assert!(!machine.kernelspec().exists() && !machine.base().join("other").exists());
}

#[test]
fn a_folder_in_which_no_kernel_was_installed_loses_nothing() {
    let machine = Machine::new();
    let own = ["bin/tool", "library/book.txt", "sources/a.c", "front/door.txt", "config/mine.toml", "analysis/a.csv"];
    for path in own {
        machine.file(&format!("mine/{path}"), "mine");
    }
    machine.does(&["uninstall", "--folder", "mine"]);
    let left: Vec<&str> = own.into_iter().filter(|path| machine.base().join("mine").join(path).exists()).collect();
    assert_eq!(left, own);
}

#[test]
fn the_doctor_says_what_would_be_rebuilt_and_why() {
    let machine = Machine::installed();
    let told = machine.doctor();
    assert!(told.contains("nothing: everything is up to date") && !told.to_lowercase().contains("missing"), "{told}");
    assert!(told.contains(&machine.root().display().to_string()) && told.contains("hub, lazy"), "{told}");

    machine.file("source/src/model.rs", "pub struct Model(i32);\n");
    let told = machine.doctor();
    assert!(told.contains("topicframe: its sources have changed") && !told.contains("everything"), "{told}");

    machine.rustc("rustc 1.96.0 (new)");
    let told = machine.doctor();
    let why = format!("everything: it was built with {RUSTC}, and cells are now compiled with rustc 1.96.0 (new)");
    assert!(told.contains(&why), "{told}");

    let told = machine.install();
    assert!(told.contains(&format!("Rebuilding {why}")), "{told}");
    assert!(machine.doctor().contains("nothing: everything is up to date"));

    fs::remove_file(machine.root().join("bin/topicframe")).unwrap();
    fs::remove_dir_all(machine.kernelspec()).unwrap();
    let told = machine.doctor();
    assert!(told.contains("launcher       MISSING") && told.contains("(missing: reinstall)"), "{told}");
    let told = machine.refuses(&["doctor", "--source", "nowhere"]);
    assert!(told.contains("sources are not at nowhere"), "{told}");
}

#[test]
fn a_build_that_fails_leaves_nothing_that_could_be_started() {
    let machine = Machine::installed();
    machine.file("source/src/model.rs", "this is no Rust\n");
    machine.cargo("exit 101");
    let told = machine.refuses(&["install", "--source", "source", "--skip-test-cell"]);
    assert!(told.contains("cargo rustc --release failed"), "{told}");
    let told = machine.doctor();
    assert!(told.contains("the last build did not finish"), "{told}");
    let output = machine.start().output().unwrap();
    assert!(!output.status.success() && said(&output).contains("`topicframe kernel install`"), "{}", said(&output));
    machine.does(&["uninstall"]);
    assert!(!machine.root().exists() && !machine.kernelspec().exists(), "a partial installation can also be removed");
}

/// If several Jupyter installations have the kernel, a failed build must not forget any of them.
#[test]
fn a_build_that_fails_forgets_no_kernelspec() {
    let machine = Machine::new();
    machine.does(&["install", "--source", "source", "--skip-test-cell", "--prefix", "env"]);
    machine.cargo("exit 101");
    machine.refuses(&["install", "--source", "source", "--skip-test-cell"]);
    machine.does(&["uninstall"]);
    assert!(!machine.base().join("env/share/jupyter/kernels/topicframe").exists(), "its kernel is gone");
}

#[test]
fn the_test_cell_shows_that_all_works_or_what_does_not() {
    let machine = Machine::new();
    let told = machine.does(&["install", "--source", "source"]);
    assert!(told.contains("It works"), "{told}");
    assert!(read(machine.base().join("cell.rs")).contains("df!("));
    let log = read(machine.base().join("jupyter.log"));
    let data = machine.kernels().parent().unwrap().display().to_string();
    assert!(log.starts_with(&data) && log.contains("run --kernel topicframe"), "{log}");

    machine.program("jupyter", "/bin/cat > /dev/null\necho 'no kernel, no cake' >&2");
    let told = machine.refuses(&["install", "--source", "source"]);
    assert!(told.contains("the test cell failed") && told.contains("no kernel, no cake"), "{told}");

    fs::remove_file(machine.base().join("bin/jupyter")).unwrap();
    let told = machine.does(&["install", "--source", "source"]);
    assert!(told.contains("pip install jupyterlab") && told.contains("test cell was skipped"), "{told}");
    assert!(!told.contains("It works"), "{told}");
}

#[test]
fn only_topicframes_sources_are_built() {
    let machine = Machine::new();
    machine.file("elsewhere/Cargo.toml", "[package]\nname = \"another\"\n");
    for source in ["elsewhere", "nowhere"] {
        let told = machine.refuses(&["install", "--source", source]);
        assert!(told.contains("--source") && told.contains(source), "{told}");
    }
    assert!(files(&machine.home()).is_empty());
    let install = ["install", "--source", "source", "--skip-test-cell", "--features", "cuda,lazy"];
    machine.does(&install);
    assert!(
        read(machine.root().join("library/Cargo.toml"))
            .contains("features = [\"cuda\", \"hub\", \"lazy\", \"models\"]")
    );
}

/// TOML has no `\u{301}` escape; macOS uses decomposed accents in folder names.
#[test]
fn a_folder_may_be_called_as_its_owner_likes() {
    let machine = Machine::new();
    let name = "Jose\u{301} 東京 'n' #1";
    machine.does(&["install", "--source", "source", "--skip-test-cell", "--folder", name]);
    let root = machine.base().join(name);
    for manifest in ["front/Cargo.toml", "library/Cargo.toml", "config/evcxr.toml"] {
        let text = read(root.join(manifest));
        assert!(text.contains(name), "{manifest}: {text}");
    }
}
