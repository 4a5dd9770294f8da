//! The command with models from folders and with images.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use topicframe::files::{read_frame, write_frame};
use topicframe::polars::prelude::*;

use crate::command_topics::topicframe;
use crate::corpora::frame_with_images;

fn said(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn refused(folder: &Path, arguments: &[&str]) -> String {
    let output = topicframe(folder, arguments);
    assert!(!output.status.success(), "{arguments:?} was accepted");
    assert!(!said(&output).contains("panicked"), "{}", said(&output));
    said(&output)
}

fn fixture(name: &str) -> String {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/models").join(name);
    path.to_string_lossy().into_owned()
}

/// A folder with `posts.csv` and its images in `data`.
fn posts() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    fs::create_dir(&data).unwrap();
    write_frame(&frame_with_images(60, &data), data.join("posts.csv")).unwrap();
    folder
}

#[test]
fn a_folder_of_images_a_joint_model_and_a_captioner_make_a_page() {
    let folder = posts();
    let (clip, captioner) = (fixture("clip/quick_gelu"), fixture("vit_gpt2/same"));
    let arguments = [
        "fit",
        "data",
        "--embedder",
        &clip,
        "--captioner",
        &captioner,
        "--report",
        "page.html",
        "--documents",
        "images.parquet",
        "--min-cluster-size",
        "5",
    ];
    let output = topicframe(folder.path(), &arguments);
    assert!(output.status.success(), "{}", said(&output));
    let images = read_frame(folder.path().join("images.parquet")).unwrap();
    assert_eq!(images.get_column_names(), ["image", "embedding", "Topic", "Probability", "Name"]);
    assert_eq!(images.column("embedding").unwrap().dtype(), &DataType::Array(Box::new(DataType::Float32), 20));
    let page = fs::read_to_string(folder.path().join("page.html")).unwrap();
    assert!(page.contains("data:image/") && !page.contains("https://"));
}

#[test]
fn texts_images_or_both_make_the_topics() {
    let folder = posts();
    let clip = fixture("clip/gelu");
    let weighed = [
        "fit",
        "data/posts.csv",
        "--text",
        "caption",
        "--images",
        "image",
        "--embedder",
        &clip,
        "--image-weight",
        "0.9",
        "--documents",
        "weighed.parquet",
        "--min-cluster-size",
        "5",
    ];
    assert!(topicframe(folder.path(), &weighed).status.success());
    for (on, vector_of) in [("text", "text"), ("images", "image"), ("both", "both")] {
        let out = format!("{vector_of}.parquet");
        let arguments = [
            "fit",
            "data/posts.csv",
            "--text",
            "caption",
            "--images",
            "image",
            "--embedder",
            &clip,
            "--cluster-on",
            on,
            "--documents",
            &out,
            "--min-cluster-size",
            "5",
        ];
        let output = topicframe(folder.path(), &arguments);
        assert!(output.status.success(), "{on}: {}", said(&output));
    }
    let vectors = |name: &str| {
        let frame = read_frame(folder.path().join(format!("{name}.parquet"))).unwrap();
        let flat = frame.column("embedding").unwrap().array().unwrap().get_inner();
        flat.f32().unwrap().iter().map(|x| x.unwrap_or_default()).collect::<Vec<f32>>()
    };
    let (texts, images, both) = (vectors("text"), vectors("image"), vectors("both"));
    assert!(texts != images && both != texts && both != images && vectors("weighed") != both);
}

#[test]
fn a_sentence_transformer_embeds_the_texts() {
    let folder = posts();
    let model = fixture("sentence_transformers/bert_mean_normalize");
    let arguments = ["fit", "data/posts.csv", "--text", "caption", "--embedder", &model, "--documents", "out.parquet"];
    let output = topicframe(folder.path(), &arguments);
    assert!(output.status.success(), "{}", said(&output));
    let width = read_frame(folder.path().join("out.parquet")).unwrap().column("embedding").unwrap().dtype().clone();
    assert_eq!(width, DataType::Array(Box::new(DataType::Float32), 32));
}

#[test]
fn what_does_not_go_together_is_told_before_any_work() {
    let folder = posts();
    let (clip, bert) = (fixture("clip/gelu"), fixture("sentence_transformers/bert_cls"));
    let captioner = fixture("vit_gpt2/same");
    let cases: [(&[&str], &str); 16] = [
        (&["fit", "data"], "only supports text"),
        (&["fit", "data", "--embedder", &bert], "only supports text"),
        (&["fit", "data", "--text", "text"], "no column `text`"),
        (&["fit", "data/posts.csv"], "--text"),
        (&["fit", "data/posts.csv", "--text", "caption", "--cluster-on", "images"], "only supports text"),
        (&["fit", "data/posts.csv", "--text", "caption", "--embedder", &clip, "--cluster-on", "both"], "--images"),
        (&["fit", "data", "--embedder", &clip, "--cluster-on", "text"], "--text"),
        (&["fit", "data/posts.csv", "--text", "caption", "--captioner", &captioner], "--images"),
        (&["fit", "data", "--embedder", &captioner], "captions"),
        (&["fit", "data", "--embedder", "clip-ViT-B-32"], "offline"),
        (&["fit", "data", "--embedder", "models/clip"], "no local folder of this name"),
        (&["fit", "data", "--embedder", &clip, "--image-weight", "0.7"], "only one of them"),
        // Before the model is looked for.
        (&["fit", "data", "--embedder", "models/none", "--image-weight", "0.7"], "only one of them"),
        (&["fit", "data", "--embedder", "models/none", "--cluster-on", "text"], "no text to cluster"),
        (&["fit", "data/posts.csv", "--text", "caption", "--image-weight", "0.7"], "only one of them"),
        (
            &[
                "fit",
                "data/posts.csv",
                "--text",
                "caption",
                "--images",
                "image",
                "--embedder",
                &bert,
                "--image-weight",
                "1",
            ],
            "only one of them",
        ),
    ];
    for (arguments, expected) in cases {
        let said = refused(folder.path(), arguments);
        assert!(said.to_lowercase().contains(expected), "{arguments:?}: {said}");
    }
    fs::create_dir(folder.path().join("empty")).unwrap();
    assert!(refused(folder.path(), &["fit", "empty", "--embedder", &clip]).contains("no image"));
    let said = refused(folder.path(), &["fit", "data", "--embedder", &clip, "--device", "cuda"]);
    assert!(said.contains("cuda"), "{said}");
}
