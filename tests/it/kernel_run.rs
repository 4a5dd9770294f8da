//! `topicframe kernel run`, which Jupyter starts, with stubs for evcxr and rustc.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};

use crate::kernel::{Machine, said};

/// The inputs of the evcxr stub, by name.
fn given(output: &str) -> BTreeMap<&str, &str> {
    output.lines().filter_map(|line| line.split_once(' ')).collect()
}

#[test]
fn the_kernel_becomes_evcxr_with_settings_of_its_own() {
    let machine = Machine::installed();
    let output =
        machine.start().env("RUSTFLAGS", "--cfg mine").env("LD_LIBRARY_PATH", "/mine:/yours").output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let text = said(&output);
    let given = given(&text);
    let root = machine.root();
    assert_eq!(given["arguments"], "--control_file connection 1.json");
    assert_eq!(given["EVCXR_TMPDIR"], root.join("slots/0").display().to_string());
    assert_eq!(given["EVCXR_CONFIG_DIR"], root.join("config").display().to_string());
    assert_eq!(given["RUSTFLAGS"], "--cfg mine --cfg topicframe_analysis");
    assert_eq!(given["CARGO_PROFILE_DEV_DEBUG_ASSERTIONS"], "false");
    assert_eq!(given["CARGO_PROFILE_DEV_OVERFLOW_CHECKS"], "true");
    if cfg!(target_os = "linux") {
        let (ours, rust) = (root.join("library/target/release/deps"), machine.base().join("sysroot/stub/lib"));
        assert_eq!(given["LD_LIBRARY_PATH"], format!("{}:{}:/mine:/yours", ours.display(), rust.display()));
    }
}

/// An empty part means the notebook's folder, from which no library may be loaded.
#[cfg(target_os = "linux")]
#[test]
fn no_library_comes_from_the_folder_of_the_notebook() {
    let machine = Machine::installed();
    let text = said(&machine.start().output().unwrap());
    let folders: Vec<&str> = given(&text)["LD_LIBRARY_PATH"].split(':').collect();
    assert!(folders.len() >= 2 && folders.iter().all(|folder| folder.starts_with('/')), "{folders:?}");
}

/// A running kernel and its private folder.
fn running(machine: &Machine) -> (Child, String) {
    let mut kernel = machine.start().stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(kernel.stdout.as_mut().unwrap()).lines().map(Result::unwrap);
    let folder = lines.find_map(|line| line.strip_prefix("EVCXR_TMPDIR ").map(str::to_owned)).unwrap();
    assert!(lines.any(|line| line == "ready"));
    (kernel, folder)
}

#[test]
fn kernels_at_the_same_time_have_folders_of_their_own() {
    let machine = Machine::installed();
    let busy = machine.file("busy", "");
    let (mut first, one) = running(&machine);
    let (mut second, two) = running(&machine);
    assert_ne!(one, two);
    assert!(
        [&one, &two].iter().all(|folder| Path::new(folder).starts_with(machine.root().join("slots"))),
        "{one} {two}"
    );
    fs::remove_file(busy).unwrap();
    assert!(first.wait().unwrap().success() && second.wait().unwrap().success());
    fs::write(Path::new(&one).join("compiled"), "kept").unwrap();

    machine.file("busy", "");
    let (mut third, three) = running(&machine);
    let (mut fourth, four) = running(&machine);
    assert_eq!((&three, &four), (&one, &two), "a folder is reused, with its compiled files");
    assert!(Path::new(&three).join("compiled").exists());
    fs::remove_file(machine.base().join("busy")).unwrap();
    assert!(third.wait().unwrap().success() && fourth.wait().unwrap().success());
}

#[test]
fn a_kernel_that_its_rustc_could_not_use_is_not_started() {
    let machine = Machine::installed();
    machine.rustc("rustc 1.96.0 (new)");
    let output = machine.start().output().unwrap();
    assert!(!output.status.success());
    let told = said(&output);
    assert!(told.contains("`topicframe kernel install`") && told.contains("rustc 1.96.0 (new)"), "{told}");
    assert!(!told.contains("ready"), "evcxr was not started: {told}");
    machine.install();
    assert!(said(&machine.start().output().unwrap()).contains("ready"));
}

#[test]
fn evcxr_is_also_found_where_cargo_installs_programs() {
    let machine = Machine::installed();
    let of_cargo = machine.home().join(".cargo/bin");
    fs::create_dir_all(&of_cargo).unwrap();
    fs::rename(machine.base().join("bin/evcxr_jupyter"), of_cargo.join("evcxr_jupyter")).unwrap();
    assert!(said(&machine.start().output().unwrap()).contains("ready"));
    fs::remove_file(of_cargo.join("evcxr_jupyter")).unwrap();
    let told = said(&machine.start().output().unwrap());
    assert!(told.contains("evcxr_jupyter is missing") && told.contains("kernel doctor"), "{told}");
}
