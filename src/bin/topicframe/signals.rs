//! Ctrl-C, `kill` and a closing terminal: they end the command immediately, without leaving partially written files.

/// Ends the process on termination signals, as the default handlers would, but removes its temporary files first. A
/// file that exceeds the user's size limit is an error where it is written and does not end the process.
#[cfg(unix)]
pub fn listen() {
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;

    use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGXFSZ};
    use signal_hook::iterator::Signals;

    // If the system refuses any of this, signals keep their previous behavior.
    let _ = signal_hook::flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false)));
    let ends: Vec<i32> = [SIGINT, SIGTERM, SIGHUP, SIGQUIT].into_iter().filter(|&signal| !is_ignored(signal)).collect();
    let Ok(mut signals) = Signals::new(ends) else { return };
    let _ = std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        for signal in signals.forever() {
            let _halted = topicframe::files::halt_writing();
            let _ = signal_hook::low_level::emulate_default_handler(signal);
        }
    });
}

#[cfg(not(unix))]
pub fn listen() {}

/// Whether the parent process asked for the signal to be ignored, as `nohup` does.
#[cfg(unix)]
fn is_ignored(signal: i32) -> bool {
    let mut action = std::mem::MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: this only queries the action and sets none; an all-zero `sigaction` is valid.
    let action = unsafe {
        if libc::sigaction(signal, std::ptr::null(), action.as_mut_ptr()) != 0 {
            return false;
        }
        action.assume_init()
    };
    action.sa_sigaction == libc::SIG_IGN
}
