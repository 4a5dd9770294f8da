//! Ending commands with a signal.
#![cfg(unix)]

use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

/// Makes `command` react to signals as if started from a terminal: if the tests run in the background, signals may be
/// ignored, and child processes inherit that.
pub fn with_default_signals(command: &mut Command) -> &mut Command {
    let reset = || {
        for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGQUIT] {
            // SAFETY: `signal` may be called between fork and exec, and SIG_DFL is a valid action.
            if unsafe { libc::signal(signal, libc::SIG_DFL) } == libc::SIG_ERR {
                return Err(std::io::Error::last_os_error());
            }
        }
        Ok(())
    };
    // SAFETY: `reset` only calls functions that are safe between fork and exec.
    unsafe { command.pre_exec(reset) }
}

/// Sends `signal` (`INT`, `TERM`, ..) to `child` and waits for it to exit. Panics if that takes longer than `limit`.
pub fn end(child: &mut Child, signal: &str, limit: Duration) -> ExitStatus {
    let sent = Instant::now();
    assert!(Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).status().unwrap().success());
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if sent.elapsed() > limit {
            let _ = child.kill();
            panic!("{signal}: still running after {limit:?}");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}
