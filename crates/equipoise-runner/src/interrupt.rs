//! Ctrl-C, and the scheduler's SIGTERM: says how to go on, and leaves.
//!
//! Nothing has to be saved first. Units are published by one rename, a federation's state is replaced by one rename after every
//! round, a journal line is one write, and claims are locks that end with the process; what a SIGKILL leaves whole, this does.
//! So the process ends at once, and the only work lost is that of the round or unit at hand.
#![allow(clippy::print_stderr)] // The runner is the one place that speaks to people.

use crate::fault::{Fault, runtime};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// Listens from now on. The message names the command line that this process was started with: the same command goes on.
///
/// # Errors
/// If the system refuses a handler or a thread.
pub(crate) fn listen() -> Result<(), Fault> {
    let mut signals = Signals::new([SIGINT, SIGTERM]).map_err(runtime)?;
    let again = command_line(std::env::args().skip(1));
    let wait = move || {
        if let Some(signal) = signals.forever().next() {
            eprintln!("\ninterrupted; goes on with: {again}");
            // The shell's code for a process that a signal ended: 130 for Ctrl-C.
            std::process::exit(128 + signal);
        }
    };
    std::thread::Builder::new().name("signals".into()).spawn(wait).map(|_| ()).map_err(runtime)
}

/// `equipoise` and its arguments, as a POSIX shell reads them back.
fn command_line(arguments: impl Iterator<Item = String>) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
    arguments.fold("equipoise".to_owned(), |line, argument| {
        if !argument.is_empty() && argument.chars().all(plain) {
            line + " " + &argument
        } else {
            line + " '" + &argument.replace('\'', r"'\''") + "'"
        }
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_shell_reads_the_command_back() {
        let given = ["run", "a b.toml", "--set", "arms=[\"x\"]", "it's", "", "privacy.epsilon=1,2"];
        let line = super::command_line(given.iter().map(|&word| word.to_owned()));
        assert_eq!(line, r#"equipoise run 'a b.toml' --set 'arms=["x"]' 'it'\''s' '' privacy.epsilon=1,2"#);
        let script = format!("set -- {}; printf '%s\\n' \"$@\"", line.trim_start_matches("equipoise "));
        let output = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
        let words: Vec<String> =
            String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect();
        assert_eq!(words, given);
    }
}
