//! The worker process that reads files.

use std::fmt;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use crate::Outcome;
use crate::target::{Target, read};

/// Maximum time for one file.
const LONGEST: Duration = Duration::from_secs(10);

/// Maximum memory for one file, in kB; and the address space limit of the process, which is higher than its actual use.
const MAX_MEMORY: u64 = 2 << 20;
const MAX_ADDRESSES: u64 = 3 << 20;

/// The result of reading a file.
pub enum Verdict {
    Read,
    Refused(String),
    Died(String),
    Hung,
    TookMemory(u64),
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Verdict::Read => f.write_str("was read"),
            Verdict::Refused(reason) => write!(f, "was refused: {reason}"),
            Verdict::Died(how) => write!(f, "ended the process: {how}"),
            Verdict::Hung => write!(f, "took longer than {} s", LONGEST.as_secs()),
            Verdict::TookMemory(kilobytes) => write!(f, "took {} MB", kilobytes / 1024),
        }
    }
}

pub struct Worker {
    process: Child,
    input: ChildStdin,
    answers: Receiver<String>,
}

impl Worker {
    pub fn start(target: Target) -> Outcome<Self> {
        let program = std::env::current_exe()?;
        let mut process = Command::new("sh")
            .arg("-c")
            .arg(format!("ulimit -c 0; ulimit -v {MAX_ADDRESSES}; exec \"$0\" work {target}"))
            .arg(program)
            .env("MALLOC_ARENA_MAX", "2")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let input = process.stdin.take().ok_or("no standard input")?;
        let output = BufReader::new(process.stdout.take().ok_or("no standard output")?);
        let (send, answers) = channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if send.send(line).is_err() {
                    break;
                }
            }
        });
        Ok(Worker { process, input, answers })
    }

    pub fn read(&mut self, path: &Path) -> Outcome<Verdict> {
        // If the worker has died, there is no answer.
        let _ = writeln!(self.input, "{}", path.display()).and_then(|()| self.input.flush());
        match self.answers.recv_timeout(LONGEST) {
            Ok(answer) => {
                let (memory, reason) = answer.split_once(' ').unwrap_or((&answer, ""));
                let memory = memory.parse()?;
                Ok(match reason {
                    _ if memory > MAX_MEMORY => Verdict::TookMemory(memory),
                    "" => Verdict::Read,
                    reason => Verdict::Refused(reason.to_owned()),
                })
            }
            Err(RecvTimeoutError::Timeout) => {
                self.process.kill()?;
                Ok(Verdict::Hung)
            }
            Err(RecvTimeoutError::Disconnected) => Ok(Verdict::Died(self.process.wait()?.to_string())),
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Reads each file named on standard input; answers with the peak memory of the process in kB, and the reason if the
/// file was refused.
pub fn work(target: Target) -> Outcome<()> {
    for line in std::io::stdin().lock().lines() {
        let reason = read(target, Path::new(&line?)).err().map(|error| reason(&error.to_string())).unwrap_or_default();
        let mut out = std::io::stdout().lock();
        writeln!(out, "{} {reason}", peak_memory())?;
        out.flush()?;
    }
    Ok(())
}

/// The first words of the error without quoted parts, so that equal reasons are counted together.
fn reason(error: &str) -> String {
    let line = error.lines().next().unwrap_or_default();
    let end = line.find([':', '(', '`', '"']).map_or(line.len(), |first| {
        line[first + 1..].find([':', '(', '`', '"']).map_or(line.len(), |second| first + 1 + second)
    });
    let words: String = line[..end].chars().filter(|c| !c.is_control() && !c.is_ascii_digit()).collect();
    if words.trim().is_empty() { "an error".to_owned() } else { words.trim().to_owned() }
}

fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    peak.and_then(|peak| peak.trim().trim_end_matches("kB").trim().parse().ok()).unwrap_or(0)
}
