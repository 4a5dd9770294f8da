//! The kernel's prerequisites, and how to install them.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use topicframe::error::{Error, ErrorKind, Result, Stage};

/// The version of evcxr that the kernel was developed and tested with.
const EVCXR: &str = "0.22.0";

/// A prerequisite.
pub struct Need {
    pub name: &'static str,
    /// What was found: a version or a path.
    pub found: Option<String>,
    /// What it is for, in a few words.
    pub what_for: &'static str,
    /// The command that installs it.
    pub command: String,
    /// Whether it is required to build the kernel.
    pub to_build: bool,
}

/// All prerequisites, found or not; `jupyter` is the Jupyter executable.
pub fn needs(jupyter: Option<PathBuf>) -> Vec<Need> {
    let jupyter = jupyter.map(|program| program.display().to_string());
    let needs = |name, found, what_for, command: &str, to_build| Need {
        name,
        found,
        what_for,
        command: command.to_owned(),
        to_build,
    };
    vec![
        needs("Rust", version("rustc"), "compiles cells", "see https://rustup.rs", true),
        needs("rust-src", rust_src(), "lets evcxr infer the types of variables", "rustup component add rust-src", true),
        needs(
            "evcxr_jupyter",
            evcxr_jupyter().map(|path| format!("{}{}", path.display(), evcxr_version())),
            "runs Rust cells in Jupyter",
            &format!("cargo install evcxr_jupyter --version {EVCXR} --locked"),
            true,
        ),
        needs("Jupyter", jupyter, "shows notebooks", "pip install jupyterlab", false),
    ]
}

/// Returns an error that lists everything missing to build the kernel.
pub fn check(jupyter: Option<PathBuf>) -> Result<Vec<Need>> {
    let needs = needs(jupyter);
    let missing: Vec<&Need> = needs.iter().filter(|need| need.to_build && need.found.is_none()).collect();
    if missing.is_empty() {
        return Ok(needs);
    }
    let names: Vec<String> = missing.iter().map(|need| format!("{} ({})", need.name, need.what_for)).collect();
    let commands: Vec<String> = missing.iter().map(|need| format!("\n    {}", need.command)).collect();
    let message = format!("the kernel needs {}", names.join(" and "));
    Err(Error::new(ErrorKind::NotFound, Stage::Notebook, message)
        .with_hint(format!("Install what is missing, then try again:{}", commands.concat())))
}

/// The location of evcxr_jupyter: on the path, or where cargo installs executables.
pub fn evcxr_jupyter() -> Option<PathBuf> {
    let of_cargo = || {
        let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
        let home = home.or_else(|| Some(etcetera::home_dir().ok()?.join(".cargo")))?;
        let program = home.join("bin").join(format!("evcxr_jupyter{}", std::env::consts::EXE_SUFFIX));
        program.is_file().then_some(program)
    };
    which::which("evcxr_jupyter").ok().or_else(of_cargo)
}

/// The installed version of evcxr, with a remark if it differs from the tested one.
fn evcxr_version() -> String {
    let Ok(output) = Command::new("cargo").args(["install", "--list"]).output() else { return String::new() };
    let list = String::from_utf8_lossy(&output.stdout).into_owned();
    let version = list.lines().find_map(|line| line.strip_prefix("evcxr_jupyter v")?.split([':', ' ']).next());
    match version {
        Some(EVCXR) => format!(", {EVCXR}"),
        Some(other) => format!(", {other} (topicframe is tested with {EVCXR})"),
        None => String::new(),
    }
}

/// The program that starts kernels and notebooks.
pub fn jupyter_program() -> Option<PathBuf> {
    which::which("jupyter").ok()
}

fn version(program: &str) -> Option<String> {
    let output = Command::new(program).arg("--version").stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The sources of the standard library, where evcxr looks for them.
fn rust_src() -> Option<String> {
    let output = Command::new("rustc").args(["--print", "sysroot"]).output().ok()?;
    let sysroot = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let sources = Path::new(&sysroot).join("lib/rustlib/src/rust/library");
    sources.is_dir().then(|| "installed".to_owned())
}
