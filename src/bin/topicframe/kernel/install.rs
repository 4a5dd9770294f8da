//! `topicframe kernel install`.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use clap::Args;
use topicframe::error::{Error, ErrorKind, Result, Stage};

use super::analysis::write_analysis;
use super::folders::{Folders, Places, unreadable, wrong};
use super::state::{State, cargo, hash_of_sources, release, rustc, source_folder};
use super::written::Written;
use super::{DISPLAY_NAME, NAME, files, kernelspec, needs};
use crate::table::report_line;

/// What the test cell prints, and what no error message contains.
const READY: &str = "topicframe is ready";

#[derive(Debug, Args)]
pub struct Install {
    #[command(flatten)]
    places: Places,

    /// topicframe's sources [default: where this program was built from].
    #[arg(long, value_name = "FOLDER")]
    source: Option<PathBuf>,

    /// Features of topicframe to enable in addition to `hub` and `lazy`, such as `cuda`.
    #[arg(long, value_name = "FEATURE", value_delimiter = ',')]
    features: Vec<String>,

    /// Skip the test cell, which verifies the installation and takes half a minute.
    #[arg(long)]
    skip_test_cell: bool,
}

impl Install {
    pub fn run(&self) -> Result<()> {
        if cfg!(windows) {
            return Err(wrong(
                "the kernel is not supported on Windows: topicframe does not fit in one dynamic library",
            )
            .with_hint("Use Linux, macOS or the Windows Subsystem for Linux."));
        }
        let needs = needs::check(self.places.jupyter())?;
        let folders = self.places.folders()?;
        let kernelspec = self.places.kernelspec()?;
        let source = self.source()?;
        kernelspec::check(&kernelspec)?;
        let mut written = Written::claim(&folders)?;
        report_line(&format!("topicframe's kernel: {}", folders.root.display()));
        let state = self.build(&folders, &source, &kernelspec, &mut written)?;
        self.connect(&folders, &state, &kernelspec, &mut written)?;
        written.complete()?;
        for need in needs.iter().filter(|need| need.found.is_none()) {
            report_line(&format!("{} is missing ({}): {}", need.name, need.what_for, need.command));
        }
        if !self.skip_test_cell {
            run_test_cell(&self.places.jupyter(), &kernelspec)?;
        }
        report_line(&format!(
            "Done. In Jupyter, choose \"{DISPLAY_NAME}\"; `topicframe kernel doctor` checks the installation."
        ));
        Ok(())
    }

    fn source(&self) -> Result<PathBuf> {
        let source = source_folder(self.source.as_deref());
        let manifest = source.join("Cargo.toml");
        if !fs::read_to_string(&manifest).is_ok_and(|text| text.contains("name = \"topicframe\"")) {
            let message = match &self.source {
                Some(_) => "topicframe's sources are not in this folder",
                None => "topicframe's sources are no longer where they were when this program was built",
            };
            return Err(Error::new(ErrorKind::NotFound, Stage::Notebook, message)
                .with_path(&source)
                .with_hint("Specify their folder with --source."));
        }
        Ok(source)
    }

    /// Builds the library if it is missing or out of date.
    fn build(&self, folders: &Folders, source: &Path, kernelspec: &Path, written: &mut Written) -> Result<State> {
        let before = State::read(folders);
        let mut features = vec!["lazy".to_owned()];
        features.extend(self.features.iter().filter(|feature| *feature != "lazy").cloned());
        let (rustc, sources) = (rustc()?, hash_of_sources(source)?);
        report_line(&match &before {
            None => {
                format!("Building topicframe for notebooks with {}: about ten minutes on two cores.", release(&rustc))
            }
            Some(before) => match before.stale(&rustc, Some(&sources)).first() {
                Some(reason) => format!("Rebuilding {reason}."),
                None => "Building what is new.".to_owned(),
            },
        });
        let known = before.iter().flat_map(|before| &before.kernelspecs).filter(|path| path.exists());
        let mut kernelspecs: Vec<PathBuf> = known.filter(|path| *path != kernelspec).cloned().collect();
        kernelspecs.push(kernelspec.to_path_buf());
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let state = State { version, rustc, features, sources, kernelspecs, seconds: 0 };
        // Until the library is built, no rustc matches and no kernel starts; but the kernelspec locations are already
        // recorded.
        State { rustc: String::new(), ..before.clone().unwrap_or(state.clone()) }
            .with_kernelspecs(&state.kernelspecs)
            .write(folders, written)?;
        // First, because a concurrent build may replace the program.
        files::copy_launcher(folders, written)?;
        files::copy_sources(source, folders, written)?;
        files::write_library(folders, &state.features, written)?;
        let started = Instant::now();
        let others = written.begin_build(&folders.target())?;
        build_library(&folders.library())?;
        written.end_build(&folders.target(), &others)?;
        let seconds = match &before {
            Some(before) if before.rustc == state.rustc => before.seconds,
            _ => started.elapsed().as_secs(),
        };
        Ok(State { seconds, ..state })
    }

    /// Writes everything that connects Jupyter to the library.
    fn connect(&self, folders: &Folders, state: &State, kernelspec: &Path, written: &mut Written) -> Result<()> {
        let analysis = write_analysis(folders, &state.rustc, written)?;
        files::write_front(folders, &analysis, written)?;
        files::write_config(folders, written)?;
        kernelspec::write(folders, kernelspec)?;
        state.write(folders, written)
    }
}

/// Builds the library, showing cargo's progress.
fn build_library(folder: &Path) -> Result<()> {
    let mut command = cargo(folder);
    // evcxr compiles cells with the same flag, so that the standard library is shared. Only the library itself is linked.
    command.args(["rustc", "--release", "--", "-Cprefer-dynamic"]);
    for variable in ["CARGO_TARGET_DIR", "CARGO_BUILD_TARGET", "CARGO_BUILD_BUILD_DIR", "CARGO_ENCODED_RUSTFLAGS"] {
        command.env_remove(variable);
    }
    command.env("RUSTFLAGS", format!("-Cmetadata={}", files::METADATA));
    let status = command.status().map_err(|cause| unreadable("cargo cannot be started", folder, cause))?;
    if status.success() {
        return Ok(());
    }
    let message = "cargo rustc --release failed; see its output above";
    Err(Error::new(ErrorKind::Internal, Stage::Notebook, message).with_path(folder))
}

/// Runs a test cell in the new kernel, the way a notebook does.
fn run_test_cell(jupyter: &Option<PathBuf>, kernelspec: &Path) -> Result<()> {
    let Some(jupyter) = jupyter else {
        report_line("The test cell was skipped: Jupyter is missing.");
        return Ok(());
    };
    report_line("Running a test cell ...");
    let started = Instant::now();
    let mut command = Command::new(jupyter);
    command.arg("run").args(["--kernel", NAME, "--RunApp.kernel_timeout=600"]);
    // Jupyter may look elsewhere by default.
    if let Some(data) = kernelspec.parent().and_then(Path::parent) {
        command.env("JUPYTER_PATH", data);
    }
    let failed = |cause| unreadable("Jupyter cannot be started", jupyter, cause);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = command.spawn().map_err(failed)?;
    if let Some(mut input) = running.stdin.take() {
        let code = format!(
            "let frame = df!(\"word\" => [\"{READY}\"])?;\nprintln!(\"{{}}\", frame.column(\"word\")?.str()?.get(0).unwrap_or_default());"
        );
        input.write_all(code.as_bytes()).map_err(failed)?;
    }
    let output = running.wait_with_output().map_err(failed)?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    if said.contains(READY) {
        report_line(&format!("It works ({:.0} s).", started.elapsed().as_secs_f64()));
        return Ok(());
    }
    Err(Error::new(ErrorKind::Internal, Stage::Notebook, "the test cell failed").with_hint(said))
}
