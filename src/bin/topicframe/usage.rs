//! The command line itself: help that fits the terminal, and errors in the words of the rest of the command.

use std::ffi::OsString;
use std::num::{ParseFloatError, ParseIntError};
use std::process::ExitCode;
use std::str::FromStr;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, CommandFactory, FromArgMatches};
use topicframe::error::{Error, Interface};

use crate::table;

/// Parses the arguments. What is wrong with them, or the help, is printed, and returned as an exit code.
pub fn parse<C: CommandFactory + FromArgMatches>(arguments: Vec<OsString>) -> Result<C, ExitCode> {
    let command = wrapped(C::command(), table::width(100).clamp(60, 120));
    let path = path_of(&command, &arguments);
    let parsed = command.try_get_matches_from(arguments).and_then(|matches| C::from_arg_matches(&matches));
    parsed.map_err(|error| match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            // A closed pipe, as by `head`, is not an error.
            let _ = error.print();
            if error.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS }
        }
        _ => {
            table::report_line(&format!("error: {}", told(&error, &path)));
            ExitCode::from(2)
        }
    })
}

/// A value parser that ignores case: `--like BERTopic`.
pub fn any_case<T: FromStr<Err = Error>>(text: &str) -> Result<T, Error> {
    text.parse().or_else(|error| text.to_lowercase().parse().map_err(|_| error))
}

/// The name of the command that is called, such as `topicframe kernel install`.
fn path_of(command: &Command, arguments: &[OsString]) -> String {
    let (mut command, mut path) = (command, command.get_name().to_owned());
    for argument in arguments.iter().skip(1) {
        match argument.to_str().and_then(|name| command.find_subcommand(name)) {
            Some(called) => command = called,
            None => break,
        }
        path.push_str(&format!(" {}", command.get_name()));
    }
    path
}

/// `command` with help in lines of at most `width` characters. clap leaves that to the terminal, which breaks words.
fn wrapped(command: Command, width: usize) -> Command {
    let names: Vec<String> = command.get_subcommands().map(|command| command.get_name().to_owned()).collect();
    if !names.is_empty() {
        return names.iter().fold(command, |command, name| command.mut_subcommand(name, |c| wrapped(c, width)));
    }
    let command = match command.get_about().map(ToString::to_string) {
        Some(about) => command.about(filled(&about, width)),
        None => command,
    };
    command.next_line_help(true).mut_args(|arg| {
        let Some(mut help) = arg.get_help().map(ToString::to_string) else { return arg };
        let defaults = arg.get_default_values().iter().map(|value| value.to_string_lossy()).collect::<Vec<_>>();
        if !defaults.is_empty() && !arg.is_hide_default_value_set() && arg.get_action().takes_values() {
            help.push_str(&format!(" [default: {}]", defaults.join(", ")));
        }
        let indent = 10;
        arg.help(filled(&help, width - indent)).hide_default_value(true)
    })
}

/// `text` in lines of at most `width` characters, broken between words.
fn filled(text: &str, width: usize) -> String {
    let (mut filled, mut length) = (String::new(), 0);
    for word in text.split_whitespace() {
        let letters = word.chars().count();
        if length > 0 && length + 1 + letters > width {
            filled.push('\n');
            length = 0;
        } else if length > 0 {
            filled.push(' ');
            length += 1;
        }
        filled.push_str(word);
        length += letters;
    }
    filled
}

/// What is wrong, and what to do.
fn told(error: &clap::Error, path: &str) -> String {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        Some(ContextValue::Strings(texts)) => Some(texts.join(", ")),
        _ => None,
    };
    let argument = text(ContextKind::InvalidArg).unwrap_or_default();
    let (option, value) = (name_of(&argument), text(ContextKind::InvalidValue).unwrap_or_default());
    let help = format!("`{path} --help` lists what there is.");
    match error.kind() {
        ErrorKind::ValueValidation => wrong_value(error, option, &value),
        ErrorKind::InvalidValue if value.is_empty() => format!("{option} needs a value: {}", plain(&argument)),
        ErrorKind::InvalidValue => {
            let allowed = text(ContextKind::ValidValue).unwrap_or_default();
            format!("{option} {value} cannot be used: it must be {}", allowed.replace(", ", " or "))
        }
        ErrorKind::UnknownArgument => match (text(ContextKind::SuggestedArg), option.strip_prefix('-')) {
            (Some(similar), _) => {
                format!("there is no option {option}\n  Is it {}? {help}", name_of(&similar))
            }
            (None, Some(number)) if number.starts_with(|c: char| c.is_ascii_digit()) => {
                format!("{option} is not an option\n  As a value, it is written with an equals sign: --option={option}")
            }
            (None, Some(_)) => format!("there is no option {option}\n  {help}"),
            (None, None) => format!("there is no place for `{option}`\n  Put a value with spaces in quotes. {help}"),
        },
        ErrorKind::InvalidSubcommand => {
            let called = text(ContextKind::InvalidSubcommand).unwrap_or_default();
            let similar = text(ContextKind::SuggestedSubcommand).filter(|similar| !similar.is_empty());
            let similar = similar.map_or(String::new(), |similar| format!("Is it {}? ", similar.replace(", ", " or ")));
            format!("there is no command `{called}`\n  {similar}{help}")
        }
        ErrorKind::MissingRequiredArgument => {
            let missing = match error.get(ContextKind::InvalidArg) {
                Some(ContextValue::Strings(missing)) => missing.iter().map(|missing| plain(missing)).collect(),
                _ => vec![plain(&argument)],
            };
            let are = if missing.len() == 1 { "is" } else { "are" };
            format!("{} {are} missing\n  {help}", missing.join(" and "))
        }
        ErrorKind::ArgumentConflict => match text(ContextKind::PriorArg) {
            Some(other) if name_of(&other) != option => {
                format!("{option} and {} cannot be used together\n  Omit one of them.", name_of(&other))
            }
            _ => format!("{option} is given twice\n  Omit one of them."),
        },
        ErrorKind::MissingSubcommand => format!("a command is missing\n  {help}"),
        _ => {
            let rendered = error.to_string();
            let first = rendered.lines().next().unwrap_or_default();
            format!("{}\n  {help}", first.trim_start_matches("error: "))
        }
    }
}

/// A value that its parser refuses, which says why.
fn wrong_value(error: &clap::Error, option: &str, value: &str) -> String {
    let refused = |allowed: &str| format!("{option} {value} cannot be used: it must be {allowed}");
    let Some(source) = std::error::Error::source(error) else { return refused("another value") };
    if let Some(error) = source.downcast_ref::<Error>() {
        let report = error.report(Interface::CommandLine);
        return report.strip_prefix(&format!("{}: ", error.stage())).unwrap_or(&report).to_owned();
    }
    if source.is::<ParseIntError>() {
        return refused("a whole number, such as 10");
    }
    if source.is::<ParseFloatError>() {
        return refused("a number, such as 0.5");
    }
    format!("{option} {value} cannot be used: {source}")
}

/// The name of an argument: `--text` of `--text <COLUMN>`, `INPUT` of `<INPUT>...`.
fn name_of(argument: &str) -> &str {
    let name = argument.split([' ', '=']).next().unwrap_or_default();
    name.trim_end_matches('.').trim_matches(['<', '>', '[', ']'])
}

/// An argument as a user writes it: `--text COLUMN`. Of a group, one of several.
fn plain(argument: &str) -> String {
    argument.replace(['<', '>', '[', ']'], "").trim_end_matches('.').replace("|--", " or --")
}

#[cfg(test)]
mod tests {
    use super::{filled, name_of, plain};

    #[test]
    fn words_stay_whole() {
        assert_eq!(filled("one two three", 7), "one two\nthree");
        assert_eq!(filled("much-too-long a", 4), "much-too-long\na");
        assert_eq!(filled("  ", 4), "");
    }

    #[test]
    fn names_of_arguments() {
        assert_eq!(
            (name_of("--text <COLUMN>"), name_of("<INPUT>..."), name_of("--quality")),
            ("--text", "INPUT", "--quality")
        );
        assert_eq!((plain("--text <COLUMN>").as_str(), plain("<INPUT>...").as_str()), ("--text COLUMN", "INPUT"));
        assert_eq!(plain("<--report <FILE>|--plots <FOLDER>>"), "--report FILE or --plots FOLDER");
    }
}
