//! Malicious tokenizers: the size of their output for a text and the time they take are bounded.

use std::time::Instant;

use serde_json::{Value, json};
use topicframe::embed::{SentenceTransformer, TextEmbedder};
use topicframe::progress::Progress;

use crate::hostile_models::{SENTENCE, SOON, copy, edit, fixtures, load, spoiled};

fn spoiled_tokenizer(model: &str, change: impl FnOnce(&mut Value)) -> String {
    spoiled(model, "tokenizer.json", change)
}

#[test]
fn what_a_tokenizer_makes_of_a_text_is_in_proportion_to_it() {
    let bert = format!("{SENTENCE}/bert_cls");
    let replace =
        |pattern: &str, content: &str| json!({"type": "Replace", "pattern": {"String": pattern}, "content": content});
    let doubling = json!({"type": "Sequence", "normalizers": vec![replace("e", "ee"); 40]});
    let told = spoiled_tokenizer(&bert, |tokenizer| tokenizer["normalizer"] = doubling.clone());
    assert!(told.contains("1099511627776 times") && told.contains("normalizer"), "{told}");
    // The same for other models, in nested sequences, with and without the type names of the steps.
    let nested = json!({"normalizers": [doubling["normalizers"].clone(), {"normalizers": [{"pattern": {"Regex": "[ae]"}, "content": "aeaeae"}]}]});
    for model in ["models/clip/gelu", "static_embedder/model2vec/f32", "models/blip/base"] {
        let told = spoiled_tokenizer(model, |tokenizer| tokenizer["normalizer"] = nested.clone());
        assert!(told.contains("times as long"), "{told}");
    }
    for (part, step) in [
        (
            "normalizer",
            json!({"type": "Sequence", "normalizers": vec![json!({"type": "Prepend", "prepend": "x".repeat(40)}); 4]}),
        ),
        (
            "normalizer",
            json!({"type": "Sequence", "normalizers": vec![json!({"type": "Replace", "pattern": {"Regex": ""}, "content": "ab"}); 9]}),
        ),
        ("normalizer", replace("a", &"b".repeat(20_000))),
        (
            "pre_tokenizer",
            json!({"type": "Sequence", "pretokenizers": vec![json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true}); 30]}),
        ),
        ("decoder", json!({"type": "Sequence", "decoders": vec![json!({"type": "BPEDecoder", "suffix": ""}); 40]})),
        ("decoder", json!({"type": "Sequence", "decoders": vec![replace("a", "aa"); 40]})),
    ] {
        let told = spoiled_tokenizer(&bert, |tokenizer| tokenizer[part] = step);
        assert!(told.contains("times as long"), "{told}");
    }
}

#[test]
fn what_is_put_around_a_text_is_bounded() {
    let bert = format!("{SENTENCE}/bert_cls");
    let text = json!({"Sequence": {"id": "A", "type_id": 0}});
    let special = json!({"SpecialToken": {"id": "[CLS]", "type_id": 0}});
    let template = |single: Vec<Value>, ids: usize| {
        json!({"type": "TemplateProcessing", "single": single, "pair": [],
            "special_tokens": {"[CLS]": {"id": "[CLS]", "ids": vec![2; ids], "tokens": vec!["[CLS]"; ids]}}})
    };
    for processor in [
        template(vec![text.clone(); 5], 1),
        json!({"type": "Sequence", "processors": vec![template(vec![text.clone(), text.clone()], 1); 40]}),
        template(vec![special.clone(), text.clone()], 100_000),
        template([vec![special.clone(); 300], vec![text.clone()]].concat(), 1),
        template(vec![json!({"SpecialToken": {"id": "[NONE]", "type_id": 0}}), text.clone()], 1),
        // No room for a token of the text.
        template([vec![special; 200], vec![text]].concat(), 1),
    ] {
        let told = spoiled_tokenizer(&bert, |tokenizer| tokenizer["post_processor"] = processor);
        assert!(told.contains("around"), "{told}");
    }
}

#[test]
fn steps_tokens_and_words_are_bounded() {
    let bert = format!("{SENTENCE}/bert_cls");
    let strip = json!({"type": "Strip", "strip_left": true, "strip_right": true});
    let deep = (0..20).fold(strip.clone(), |inner, _| json!({"type": "Sequence", "normalizers": [inner]}));
    for normalizer in [json!({"type": "Sequence", "normalizers": vec![strip; 10_000]}), deep] {
        let told = spoiled_tokenizer(&bert, |tokenizer| tokenizer["normalizer"] = normalizer);
        assert!(told.contains("128 steps"), "{told}");
    }
    let token = tokenizer_token("x".repeat(2_000));
    let told = spoiled_tokenizer(&bert, |tokenizer| tokenizer["added_tokens"].as_array_mut().unwrap().push(token));
    assert!(told.contains("2000 bytes"), "{told}");
    let many: Vec<Value> = (0..120_000).map(|i| tokenizer_token(format!("token {i}"))).collect();
    let told = spoiled_tokenizer(&bert, |tokenizer| tokenizer["added_tokens"].as_array_mut().unwrap().extend(many));
    assert!(told.contains("added_tokens"), "{told}");
    let told = spoiled_tokenizer(&bert, |tokenizer| tokenizer["model"]["max_input_chars_per_word"] = json!(1_000_000));
    assert!(told.contains("max_input_chars_per_word"), "{told}");
    let told = spoiled_tokenizer(&bert, |tokenizer| {
        tokenizer["model"]["continuing_subword_prefix"] = json!("#".repeat(1_000))
    });
    assert!(told.contains("continuing_subword_prefix"), "{told}");
    let told = spoiled_tokenizer(&bert, |tokenizer| {
        tokenizer["model"]["vocab"]["y".repeat(100_000)] = json!(161);
    });
    assert!(told.contains("model.vocab"), "{told}");
    for (model, key, values) in [
        (bert.as_str(), "zzz", json!(vec![Vec::<Value>::new(); 4_000_001])),
        ("models/clip/gelu", "merges", json!(vec!["a t"; 1_000_001])),
    ] {
        let told = spoiled_tokenizer(model, |tokenizer| tokenizer["model"][key] = values);
        assert!(told.contains("4000000 values") || told.contains("model.merges"), "{told}");
    }
    // A tree as deep as its longest token would overflow the stack when it is dropped.
    let told = spoiled_tokenizer("static_embedder/model2vec/unigram_unlimited", |tokenizer| {
        let tokens = tokenizer["model"]["vocab"].as_array_mut().unwrap();
        tokens.push(json!(["z".repeat(1 << 20), -1.0]));
    });
    assert!(told.contains("model.vocab"), "{told}");
}

fn tokenizer_token(content: String) -> Value {
    json!({"id": 161, "content": content, "single_word": false, "lstrip": false, "rstrip": false, "normalized": true,
        "special": false})
}

#[test]
fn patterns_that_go_back_and_forth_are_refused() {
    let bert = format!("{SENTENCE}/bert_cls");
    let split = |pattern: &str| json!({"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": false});
    for pattern in [r"(x+x+)+y\b(?=z)", r"^(?:(a+)+)\1b", r"(\s*)*\1!", "(?:a{1000}){1000}"] {
        let told = spoiled_tokenizer(&bert, |tokenizer| tokenizer["pre_tokenizer"] = split(pattern));
        assert!(told.contains("takes") || told.contains("valid tokenizer"), "{pattern}: {told}");
    }
    let many = json!({"type": "Sequence", "pretokenizers": vec![split("a"); 33]});
    let told = spoiled_tokenizer(&bert, |tokenizer| tokenizer["pre_tokenizer"] = many);
    assert!(told.contains("32 regular expressions"), "{told}");
    let told = spoiled_tokenizer(&bert, |tokenizer| tokenizer["pre_tokenizer"] = split(&"(a|b)".repeat(1_000)));
    assert!(told.contains("5000 bytes"), "{told}");
    // Real models' steps are accepted.
    let folder = copy(&bert);
    let gpt4 = r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+";
    edit(&folder.path().join("tokenizer.json"), |tokenizer| tokenizer["pre_tokenizer"] = split(gpt4));
    load(folder.path()).unwrap();
}

#[test]
fn a_tokenizer_of_many_steps_may_take_its_time() {
    // Slow for its length, but no slower for a longer text, as any tokenizer is on a slow or busy machine.
    let split = |pattern: &str| json!({"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": false});
    let every = json!({"type": "Split", "pattern": {"String": "a"}, "behavior": "Isolated", "invert": false});
    let slow: Vec<Value> = vec![every; 90].into_iter().chain(vec![split("(?=a)a"); 30]).collect();
    let folder = copy(&format!("{SENTENCE}/bert_cls"));
    edit(&folder.path().join("tokenizer.json"), |tokenizer| {
        tokenizer["pre_tokenizer"] = json!({"type": "Sequence", "pretokenizers": slow});
    });
    load(folder.path()).unwrap();
}

#[test]
fn a_text_of_megabytes_is_cut_where_nothing_of_it_counts_any_more() {
    let model = SentenceTransformer::from_dir(fixtures().join(SENTENCE).join("bert_mean_normalize")).unwrap();
    let word = "cat on the red house ";
    let long = word.repeat(4 << 20);
    let begun = Instant::now();
    let vectors = model.embed_texts(&[&long, &word.repeat(100)], &Progress::silent()).unwrap();
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
    assert_eq!(vectors.row(0), vectors.row(1));
}
