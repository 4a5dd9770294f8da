//! Stop words by language, from files, and by the detected language of the texts.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;

use topicframe::error::ErrorKind;
use topicframe::files::write_frame;
use topicframe::polars::prelude::*;
use topicframe::prelude::*;
use topicframe::progress::Progress;
use topicframe::vectorize::{CountVectorizer, Language};

use crate::corpora::captions;
use crate::notes::Notes;

const GERMAN: [&str; 3] = [
    "Die Katze ist nicht auf dem Tisch, und der Hund schläft in der Küche.",
    "Der Zug nach Berlin ist heute nicht pünktlich, weil es auf der Strecke einen Unfall gab.",
    "Wir haben im Garten Tomaten, und sie sind noch nicht reif.",
];
const FRENCH: [&str; 2] = [
    "Le train pour Paris n'est pas à l'heure parce qu'il y a eu un accident sur la ligne.",
    "Le chat est assis sur la table de la cuisine et il dort depuis ce matin.",
];

fn count(stop_words: StopWords, texts: &[&str]) -> (Vec<String>, StopWords) {
    let counted =
        CountVectorizer::new().stop_words(stop_words).fit_transform(texts, &Progress::silent()).unwrap().vectorizer;
    (counted.vocabulary().to_vec(), counted.stop_words().clone())
}

fn language(name: &str) -> Language {
    name.parse().unwrap()
}

#[test]
fn the_texts_language_is_recognized() {
    let (words, resolved) = count(StopWords::Auto, &GERMAN);
    assert_eq!(resolved, StopWords::Languages(vec![language("de")]));
    assert!(!words.iter().any(|word| ["die", "und", "der", "nicht", "auf"].contains(&word.as_str())), "{words:?}");
    assert!(["katze", "hund", "zug", "garten", "tomaten"].iter().all(|word| words.iter().any(|w| w == word)));

    let both: Vec<&str> = GERMAN.into_iter().chain(FRENCH).collect();
    let (words, resolved) = count(StopWords::Auto, &both);
    assert_eq!(resolved, StopWords::Languages(vec![language("French"), language("German")]));
    assert!(!words.iter().any(|word| ["und", "est", "sur"].contains(&word.as_str())), "{words:?}");

    let russian = [
        "Все люди рождаются свободными и равными в своем достоинстве и правах.",
        "Кошка была на столе, но потом ушла.",
    ];
    assert_eq!(count(StopWords::Auto, &russian).1, StopWords::Languages(vec![language("ru")]));
    assert_eq!(count(StopWords::Auto, &["qwx zzkk", "12 ýý þþ"]).1, StopWords::None);
}

#[test]
fn the_list_that_was_taken_is_told() {
    let told = |texts: &[&str]| {
        let notes = Arc::new(Notes::default());
        CountVectorizer::new().fit_transform(texts, &Progress::to(notes.clone())).unwrap();
        notes.text()
    };
    assert!(told(&GERMAN).contains("the texts are in German"), "{}", told(&GERMAN));
    assert!(told(&["кот", "пёс"]).contains("no stop words are removed"));
    assert_eq!(told(&["the cat and the dog"]), "");
}

#[test]
fn languages_by_name_and_by_code() {
    let german = StopWords::Languages(vec![language("German")]);
    for name in ["german", "DE", "de-AT", "Deutsch"] {
        assert_eq!(StopWords::named(name).unwrap(), german, "{name}");
    }
    assert_eq!(StopWords::named("en").unwrap(), StopWords::English);
    let both = StopWords::named("fr, german").unwrap();
    assert_eq!(both, StopWords::Languages(vec![language("fr"), language("de")]));
    assert_eq!(StopWords::named("none").unwrap(), StopWords::None);
    assert_eq!(StopWords::named("auto").unwrap(), StopWords::Auto);
    let (words, _) = count(both, &["die Katze et le chat"]);
    assert_eq!(words, ["chat", "katze"]);
    let error = StopWords::named("klingon").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidParameter);
    let said = format!("{error:#}");
    assert!(said.contains("klingon") && said.contains("German") && said.contains("none"), "{said}");
    assert!(StopWords::named(&"x".repeat(10_000)).map_err(|error| format!("{error:#}")).unwrap_err().len() < 2_000);
    assert!(StopWords::named("german,klingon").is_err());
    let kept = serde_json::to_string(&german).unwrap();
    assert_eq!(serde_json::from_str::<StopWords>(&kept).unwrap(), german);
}

#[test]
fn entries_are_cut_as_texts_are() {
    let texts = ["don't l'heure aujourd'hui new york e-mail"];
    let (words, _) = count(StopWords::list(["DON'T", "aujourd'hui", "l’heure", "New York"]), &texts);
    assert_eq!(words, ["mail", "new", "york"]);
    let notes = Arc::new(Notes::default());
    let vectorizer = CountVectorizer::new().stop_words(StopWords::list(["New York", "new"]));
    vectorizer.fit_transform(&texts, &Progress::to(notes.clone())).unwrap();
    assert!(notes.text().contains("`New York`"), "{}", notes.text());
}

#[test]
fn stop_words_of_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    };
    let good = file("words.txt", "\u{feff}# mine\r\nCafe\u{301}\r\n\r\n  dog  | a comment\r\nисточник\r\n".as_bytes());
    let words = StopWords::from_file(&good).unwrap();
    assert_eq!(count(words, &["café dog cat источник"]).0, ["cat"]);
    assert_eq!(StopWords::named(good.to_str().unwrap()).unwrap(), StopWords::from_file(&good).unwrap());
    let fails = |path: &Path| StopWords::from_file(path).map_err(|error| format!("{error:#}")).unwrap_err();
    assert!(fails(&file("latin", b"der\ndie\nf\xfcr\n")).contains("line 3 of the stop words is not valid UTF-8"));
    assert!(fails(&file("empty", b"# none\n\n")).contains("no stop word"));
    assert!(fails(&folder.path().join("absent.txt")).contains("absent.txt"));
    assert!(fails(folder.path()).contains("folder, not a file"));
    #[cfg(target_os = "linux")]
    {
        assert!(fails(Path::new("/dev/zero")).contains("not a regular file"));
        // It claims to be a regular file of zero bytes, like /proc/kmsg, which blocks waiting for kernel messages.
        assert!(fails(Path::new("/proc/version")).contains("empty"));
    }
}

fn topicframe(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_topicframe")).current_dir(folder).args(arguments).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn stop_words_and_cleaning_by_options_of_the_command() {
    let folder = tempfile::tempdir().unwrap();
    let captions = captions(60).into_iter().map(|text| format!("{text} https://example.org/{}", text.len()));
    let captions: Vec<String> = captions.collect();
    write_frame(&df!("text" => captions).unwrap(), folder.path().join("in.csv")).unwrap();
    fs::write(folder.path().join("mine.txt"), "animals\nfruit\ntrains\nthe\n").unwrap();
    let run = |more: &[&str]| {
        let arguments: Vec<&str> = ["fit", "in.csv", "--text", "text", "--topics", "out.csv"]
            .into_iter()
            .chain(more.iter().copied())
            .collect();
        let output = topicframe(folder.path(), &arguments);
        assert!(output.status.success(), "{}", said(&output));
        (fs::read_to_string(folder.path().join("out.csv")).unwrap(), said(&output))
    };
    let (by_default, told) = run(&[]);
    let words = |table: &str| {
        let heads = table.lines().skip(1).filter_map(|line| line.split(',').nth(2).map(str::to_owned));
        heads.collect::<Vec<_>>().join(" ")
    };
    assert!(words(&by_default).contains("fruit") && !words(&by_default).contains("https"), "{by_default}");
    assert!(told.contains("60 web addresses") && told.contains("--clean none"), "{told}");
    assert!(!words(&run(&["--stop-words", "mine.txt"]).0).contains("fruit"));
    assert!(words(&run(&["--stop-words", "none", "--clean", "none", "--like", "bertopic"]).0).contains("https"));
    assert!(words(&run(&["--stop-words", "german,english"]).0).contains("fruit"));
    for (arguments, expected) in [
        (["--stop-words", "klingon"], "Afrikaans"),
        (["--clean", "some"], "markup"),
        (["--stop-words", "."], "folder, not a file"),
    ] {
        let arguments: Vec<&str> = ["fit", "in.csv", "--text", "text"].into_iter().chain(arguments).collect();
        let output = topicframe(folder.path(), &arguments);
        assert!(!output.status.success() && said(&output).contains(expected), "{}", said(&output));
    }
}

#[test]
fn texts_of_single_letters_say_what_the_command_can_do() {
    let folder = tempfile::tempdir().unwrap();
    write_frame(&df!("text" => vec!["a b c d e"; 40]).unwrap(), folder.path().join("chars.csv")).unwrap();
    let told = said(&topicframe(folder.path(), &["fit", "chars.csv", "--text", "text"]));
    assert!(told.contains("single letters") && told.contains("--stop-words none"), "{told}");
    assert!(!told.contains("StopWords::") && !told.contains(".stop_words("), "{told}");
}
