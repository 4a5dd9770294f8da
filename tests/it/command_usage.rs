//! What the command says about its own arguments: help, and errors.

use std::path::Path;
use std::process::{Command, Output};

use topicframe::files::write_frame;

use crate::corpora::frame;

fn topicframe(folder: &Path, arguments: &str) -> Output {
    let arguments = arguments.split_whitespace();
    Command::new(env!("CARGO_BIN_EXE_topicframe")).current_dir(folder).args(arguments).output().unwrap()
}

fn help(command: &str) -> String {
    let output = topicframe(Path::new("."), &format!("{command} --help"));
    assert!(output.status.success(), "{command}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn help_is_grouped_and_fits_a_terminal() {
    let commands = "fit transform info edit find over-time per-class hierarchy distribution";
    for command in commands.split(' ').chain(["", "kernel", "kernel install", "kernel uninstall"]) {
        let said = help(command);
        let longest = said.lines().map(|line| line.chars().count()).max().unwrap();
        let limit = if command.is_empty() || command == "kernel" { 130 } else { 100 };
        assert!(longest <= limit, "{command}: {longest} characters\n{said}");
    }
    let fit = help("fit");
    let at = |part: &str| fit.find(part).unwrap_or_else(|| panic!("no `{part}` in {fit}"));
    let order = [
        "--text <",
        "--embedder <",
        "--nr-topics <",
        "\nOutputs:",
        "--report <",
        "--quality\n",
        "\nSaving the model:",
        "--save <",
        "\nTopics:",
        "--like <",
        "\nWords:",
        "--clean <",
        "\nEmbedding:",
        "--device <",
        "\nImages:",
        "--max-image-side <",
        "\nReading files:",
        "--encoding <",
    ];
    assert!(order.map(at).is_sorted(), "{:?}\n{fit}", order.map(at));
    for default in ["[default: 10]", "[default: builtin]", "[default: clusterer]"] {
        assert_eq!(fit.matches(default).count(), 1, "{default}: {fit}");
    }
    // The flattened groups must not replace what the command is.
    assert!(fit.starts_with("Find the topics") && help("kernel uninstall").starts_with("Remove the kernel"));
    assert!(help("transform").contains("first 4 MB") && help("edit").contains("applied in the given order"));
    // Exploring a model takes no embedder.
    for command in ["over-time", "per-class", "hierarchy"] {
        let said = help(command);
        assert!(!said.contains("--embedder") && !said.contains("--device") && !said.contains("--max-image"), "{said}");
        assert!(said.contains("--out <FILE>") && said.contains("<MODEL>"), "{said}");
    }
    let distribution = help("distribution");
    assert!(distribution.contains("--embedder <") && !distribution.contains("--max-image"), "{distribution}");
    let edit = help("edit").split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(edit.contains("--reduce is the same option"), "{edit}");
    for path in ["..", "/"] {
        assert!(topicframe(Path::new(path), "--version").status.success());
    }
}

#[test]
fn errors_are_a_sentence_that_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    write_frame(&frame(40), folder.path().join("in.csv")).unwrap();
    let fit = |more: &str| format!("fit in.csv --text caption {more}");
    let cases = [
        (fit("--nr-topics 0"), "error: --nr-topics 0 cannot be used: it must be at least 1, or auto\n"),
        (fit("--n-neighbors one"), "error: --n-neighbors one cannot be used: it must be a whole number, such as 10\n"),
        (fit("--n-neighbors=-1"), "error: --n-neighbors -1 cannot be used: it must be a whole number, such as 10\n"),
        (fit("--image-weight half"), "error: --image-weight half cannot be used: it must be a number, such as 0.5\n"),
        (fit("--like gensim"), "error: --like gensim cannot be used: it must be bertopic\n"),
        (fit("--device gpu"), "error: --device gpu cannot be used: it must be cpu, cuda or cuda:N\n"),
        (fit("--quotes maybe"), "error: --quotes maybe cannot be used: it must be auto, yes or no\n"),
        (
            fit("--save m --save-vectors some"),
            "error: --save-vectors some cannot be used: it must be full or half or none\n",
        ),
        (
            fit("--min-size 3"),
            "error: there is no option --min-size\n  Is it --min-topic-size? `topicframe fit --help` lists what there is.\n",
        ),
        (fit("--nonsense"), "error: there is no option --nonsense\n  `topicframe fit --help` lists what there is.\n"),
        (
            fit("--max-image-side -3"),
            "error: -3 is not an option\n  As a value, it is written with an equals sign: --option=-3\n",
        ),
        (fit("--seed 1 --seed 2"), "error: --seed is given twice\n  Omit one of them.\n"),
        (
            fit("--embedder a --embeddings b"),
            "error: --embedder and --embeddings cannot be used together\n  Omit one of them.\n",
        ),
        (fit("--embedder"), "error: --embedder needs a value: --embedder builtin|FOLDER|NAME\n"),
        (
            fit("--image-folder x"),
            "error: --images COLUMN is missing\n  `topicframe fit --help` lists what there is.\n",
        ),
        (
            fit("--save-without-documents"),
            "error: --save FOLDER is missing\n  `topicframe fit --help` lists what there is.\n",
        ),
        (
            "transform".to_owned(),
            "error: --model FOLDER and INPUT are missing\n  `topicframe transform --help` lists what there is.\n",
        ),
        (
            "fitt in.csv".to_owned(),
            "error: there is no command `fitt`\n  Is it fit? `topicframe --help` lists what there is.\n",
        ),
        (
            "info model x".to_owned(),
            "error: there is no place for `x`\n  Put a value with spaces in quotes. `topicframe info --help` lists what \
             there is.\n",
        ),
        (
            "kernel instal".to_owned(),
            "error: there is no command `instal`\n  Is it uninstall or install? `topicframe kernel --help` lists what there is.\n",
        ),
    ];
    for (arguments, expected) in cases {
        let output = topicframe(folder.path(), &arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments}");
        assert_eq!(String::from_utf8(output.stderr).unwrap(), expected, "{arguments}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn values_of_options_may_be_in_any_case() {
    let folder = tempfile::tempdir().unwrap();
    write_frame(&frame(60), folder.path().join("in.csv")).unwrap();
    let arguments = "fit in.csv --text caption --like BERTopic --clean NONE --neighbor-search Exact --nr-topics Auto \
                     --outliers None --embedder Builtin --cluster-on TEXT --quotes Yes --device CPU --save m --save-vectors \
                     Half";
    let output = topicframe(folder.path(), arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
