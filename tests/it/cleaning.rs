//! Scraped texts: what cleaning removes from them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use topicframe::embed::{StaticEmbedder, TextEmbedder};
use topicframe::polars::prelude::*;
use topicframe::prelude::*;
use topicframe::progress::Progress;
use topicframe::vectorize::CountVectorizer;

use crate::corpora::captions;
use crate::notes::Notes;

fn words(cleaning: TextCleaning, texts: &[&str]) -> Vec<String> {
    let vectorizer = CountVectorizer::new().stop_words(StopWords::None).cleaning(cleaning);
    vectorizer.fit_transform(texts, &Progress::silent()).unwrap().vectorizer.vocabulary().to_vec()
}

/// The words of `text` in order after cleaning.
fn left(cleaning: TextCleaning, text: &str) -> String {
    cleaning.clean(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn markup_is_not_counted_as_words() {
    for (text, rest) in [
        ("see https://t.co/Y190aB now", "see now"),
        ("(HTTP://www.example.org/page.html?id=1&utm_source=x&amp;b=2), then", "( ), then"),
        ("seehttps://t.co/abc", "see"),
        ("at www.example.com/a-b_c#d today", "at today"),
        ("bit.ly/2xYz and example.co.uk/path?q=1", "and"),
        ("[here](https://example.org/a_(b)_c) ok", "[here]( ) ok"),
        ("読む https://example.jp/aを見て", "読む を見て"),
        ("ftp://ftp.example.edu/pub/x.zip done", "done"),
        ("mail me@example.org, or mailto:a.b+c@mail.example.co.uk.", "mail , or ."),
        ("<1993Apr5.123@host.edu> wrote", "< > wrote"),
        ("<p class=\"x\">one</p><br/>two<BR>three", "one two three"),
        ("<a href='http://x.org/?a=1&b=2' title='a > b'>link</a>", "link"),
        ("H<sub>2</sub>O and un<b>believ</b>able", "H2O and unbelievable"),
        ("a<!-- a comment <b> -->b<script type=\"x\">var html = '<p>';</script>c<style>p{}</style>d", "a b c d"),
        ("<!DOCTYPE html><html lang=en><body>text</body></html>", "text"),
        ("New York&nbsp;City caf&eacute; &#39;it&#x27;s&#39; &quot;x&quot;", "New York City café 'it's' \"x\""),
        ("&lt;p&gt;escaped&lt;/p&gt; &amp;lt;br&amp;gt; twice &amp;nbsp; so", "escaped twice so"),
        ("one&nbsp two &amp three", "one two & three"),
        ("&ldquo;Zo&euml;&rdquo; &hearts;", "“Zoë” ♥"),
    ] {
        assert_eq!(left(TextCleaning::Markup, text), rest, "{text}");
        assert_eq!(TextCleaning::None.clean(text), text);
    }
}

#[test]
fn what_is_no_markup_survives() {
    for text in [
        "1 < 2 and 3 > 2",
        "a<b and c>d, if i<x or p<q=r>s",
        "I <3 you, AT&T; R&D; Q&A; fish & chips; a&b=c",
        "Vec<String>, HashMap<Path, Vec<Option<Section>>>, List<T>, x->y, <stdio.h>",
        "and/or, km/h, 24/7, c:\\new, e.g./i.e., his.me",
        "@Override fn main() -> std::io::Result<()>, user@host, @anna 12345678",
        "http: //, http://, www., www. x, :// //, a@b, @, &;, &#;, &#x;, &unknown;, <, </, <>, <!, <!-- x",
        "Amazon.com and Node.js, v1.2/3.4",
    ] {
        assert_eq!(TextCleaning::Markup.clean(text), text);
    }
    let texts = ["R&D at AT&T: Vec<String> <3", "is 1 < 2?"];
    assert_eq!(words(TextCleaning::Auto, &texts), ["at", "is", "string", "vec"]);
}

#[test]
fn names_and_numbers_go_with_all() {
    let text = "RT @anna_b: call 004912345678 or 1234567, @bob@mastodon.social! id_12345678 a@b #tag";
    assert_eq!(left(TextCleaning::All, text), "RT : call or 1234567, ! id_12345678 a@b #tag");
    assert!(left(TextCleaning::Markup, text).contains("@anna_b: call 004912345678"));
}

#[test]
fn auto_goes_by_what_the_texts_hold() {
    let plain = ["a cat", "a dog & a cat", "mail me@example.org", "1 < 2"];
    assert_eq!(TextCleaning::Auto.resolve(&plain), TextCleaning::Markup);
    let posts = ["a cat https://t.co/x", "@anna a dog", "cats &amp; dogs", "12345678"];
    assert_eq!(TextCleaning::Auto.resolve(&posts), TextCleaning::All);
    assert_eq!(words(TextCleaning::Auto, &posts), ["cat", "cats", "dog", "dogs"]);
    let addresses = ["https://example.org/cats", "https://example.org/dogs", "a cat"];
    assert_eq!(TextCleaning::Auto.resolve(&addresses), TextCleaning::None);
    assert!(words(TextCleaning::Auto, &addresses).contains(&"dogs".to_owned()));
    assert_eq!(TextCleaning::Auto.resolve(&[]), TextCleaning::Markup);
    assert_eq!(TextCleaning::None.resolve(&posts), TextCleaning::None);
    for cleaning in [TextCleaning::Auto, TextCleaning::None, TextCleaning::Markup, TextCleaning::All] {
        assert_eq!(cleaning.to_string().parse::<TextCleaning>().unwrap(), cleaning);
    }
    assert!("some".parse::<TextCleaning>().is_err());
}

#[test]
fn hostile_texts_take_their_length_in_time() {
    let parts = [
        "<",
        "&",
        "@",
        "/",
        ".",
        "<!--",
        "<script>",
        "<style>",
        "<p ",
        "<a '",
        "<b x=\"",
        "</",
        "&lt;",
        "&amp;",
        "&amp;amp;",
        "www.",
        "http://",
        "://",
        "a@",
        "a.com/",
        "a.com",
        "&#",
        "&#x",
        "<p x='\"",
        "&aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "a@b.c",
        "<p \"<p\"",
        "<script></scrip",
        "123456789",
        "@aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "<![CDATA[",
        "(http://a(",
    ];
    // At four times the length, the text may take ten times as long; quadratic time would take sixteen times as long.
    for part in parts {
        for before in ["", "a"] {
            let text = |length: usize| format!("{}{}", before.repeat(length / 2), part.repeat(length / part.len()));
            let (short, long) = (text(100_000), text(400_000));
            let time = |text: &str| {
                let started = Instant::now();
                let _ = TextCleaning::All.clean(text).len();
                started.elapsed()
            };
            let (mut base, mut took) = (Duration::MAX, Duration::MAX);
            // Some of the runs may be interrupted by other work on the machine.
            let linear = (0..50).any(|_| {
                base = base.min(time(&short));
                took = took.min(time(&long));
                took < 10 * base
            });
            assert!(linear, "{part:?} after {before:?}: {base:?}, four times as long {took:?}");
        }
    }
}

/// Captions with the remnants that scrapers leave between words.
fn posts(rows: usize) -> Vec<String> {
    let dress = |(i, caption): (usize, String)| {
        let id = i * 7919;
        let caption = caption.replacen(' ', "&nbsp;", 1);
        format!(
            "<p class=\"x\">{caption}</p><br/> http://www.example.org/page.html?id={id}&utm_source=x \
             https://t.co/{id}x @user{id} {id}12345678"
        )
    };
    captions(rows).into_iter().enumerate().map(dress).collect()
}

#[test]
fn topics_of_scraped_posts_are_called_by_their_words() {
    let frame = df!("text" => posts(90)).unwrap();
    let notes = Arc::new(Notes::default());
    let model = TopicModel::text("text", StaticEmbedder::builtin()).with_progress(Progress::to(notes.clone()));
    let (topics, documents) = model.fit_transform(&frame).unwrap();
    assert_eq!(topics.summary().topics, 3);
    for topic in topics.topic_ids() {
        for (word, _) in topics.get_topic(topic).unwrap() {
            let scraped = ["http", "https", "www", "org", "nbsp", "quot", "br", "class", "utm_source", "html", "co"];
            assert!(!scraped.contains(&word.as_str()) && !word.starts_with("user"), "{word}");
        }
    }
    assert_eq!(documents.column("text").unwrap(), frame.column("text").unwrap(), "the texts are unchanged");
    let told: Vec<String> =
        notes.text().lines().filter(|note| note.contains("web addresses")).map(str::to_owned).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("90 of 90 texts") && told[0].contains("180 web addresses"), "{told:?}");
    assert!(told[0].contains("texts contain markup that is not counted as words: "), "{told:?}");

    // The fit's own rows, and new ones alone, are cleaned as in the fit.
    let again = topics.transform(&frame).unwrap();
    assert_eq!(again.column("Topic").unwrap(), documents.column("Topic").unwrap());
    let one = topics.transform(&frame.slice(4, 1)).unwrap();
    assert_eq!(one.column("embedding").unwrap(), &documents.column("embedding").unwrap().slice(4, 1));
    let plain = topics.transform(&df!("text" => captions(90)).unwrap()).unwrap();
    assert_eq!(plain.column("embedding").unwrap(), documents.column("embedding").unwrap());
}

#[test]
fn without_cleaning_everything_counts() {
    let frame = df!("text" => posts(90)).unwrap();
    let model = TopicModel::text("text", StaticEmbedder::builtin()).cleaning(TextCleaning::None);
    let topics = model.fit(&frame).unwrap();
    assert!(topics.vocabulary().iter().any(|word| word == "utm_source"));
    let own = TopicModel::text("text", StaticEmbedder::builtin())
        .vectorizer(CountVectorizer::new().cleaning(TextCleaning::None))
        .fit(&frame)
        .unwrap();
    assert!(own.vocabulary().iter().any(|word| word == "utm_source"), "a vectorizer's own setting takes precedence");
    assert!(model.get_params().contains(&("cleaning".to_owned(), "none".to_owned())));
}

#[test]
fn a_line_to_write_on_is_no_word() {
    let texts = ["name: ____ and snake_case __init__ _____", "__ x_ _9"];
    let words = |cleaning: TextCleaning| {
        let vectorizer = CountVectorizer::new().cleaning(cleaning).stop_words(StopWords::None);
        vectorizer.fit_transform(&texts, &Progress::silent()).unwrap().vectorizer.vocabulary().to_vec()
    };
    let kept = ["_9", "__init__", "and", "name", "snake_case", "x_"];
    assert_eq!(words(TextCleaning::Markup), kept);
    assert_eq!(words(TextCleaning::All), kept);
    // As scikit-learn's token pattern.
    assert_eq!(words(TextCleaning::None), [&["_9", "__", "____", "_____", "__init__"], &kept[2..]].concat());
}

#[test]
fn only_embedders_that_want_it_see_cleaned_texts() {
    #[derive(Debug)]
    struct Raw;
    impl TextEmbedder for Raw {
        fn dimensions(&self) -> usize {
            1
        }
        fn embed_texts(
            &self,
            texts: &[&str],
            _: &Progress,
        ) -> topicframe::error::Result<topicframe::ndarray::Array2<f32>> {
            assert!(texts.iter().all(|text| text.contains("&nbsp;")));
            Ok(topicframe::ndarray::Array2::ones((texts.len(), 1)))
        }
    }
    let frame = df!("text" => posts(6)).unwrap();
    TopicModel::text("text", Raw).embed(&frame).unwrap();
}

#[test]
fn any_text_can_be_cleaned() {
    let parts = [
        "<",
        "&",
        "@",
        "/",
        ".",
        "<!--",
        "-->",
        "<script>",
        "</script>",
        "<p ",
        "a='",
        "\"",
        ">",
        "</b>",
        "&lt;",
        "&#",
        "x3c;",
        "www.",
        "http",
        "://",
        "a@b.co",
        "t.co/",
        "é",
        "e\u{301}",
        "猫",
        "ﬁ",
        "\u{a0}",
        " ",
        "12345678",
        "a",
        "]",
        "(",
        ")",
        ";",
        "=",
        "<![CDATA[",
        "İ",
        "👩‍🔬",
    ];
    let mut state = 88_172_645_463_325_252_u64;
    let mut next = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    for _ in 0..20_000 {
        let text: String = (0..next(60)).map(|_| parts[next(parts.len())]).collect();
        for cleaning in [TextCleaning::Markup, TextCleaning::All] {
            let cleaned = cleaning.clean(&text).into_owned();
            assert!(cleaned.len() <= text.len() * 2, "{text}");
        }
    }
}

#[test]
fn what_is_left_out_is_counted_in_good_english() {
    let notes = Arc::new(Notes::default());
    let texts = ["a <b>cat & a dog", "a house", "a red bridge"];
    let vectorizer = CountVectorizer::new().cleaning(TextCleaning::Markup);
    vectorizer.fit_transform(&texts, &Progress::to(notes.clone())).unwrap();
    let told = notes.text();
    assert!(told.contains("1 of 3 texts contains markup that is not counted as words: 1 tag"), "{told}");
    assert!(!told.contains("1 tags"), "{told}");
}
