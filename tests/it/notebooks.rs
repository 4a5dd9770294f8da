//! The notebooks in `notebooks/` are saved with their outputs, and their code is that of `examples/notebook_*.rs`,
//! which runs without Jupyter.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::documents::is_published;

#[path = "../../examples/notebook_01_text.rs"]
mod notebook_01_text;
#[path = "../../examples/notebook_02_text_and_images.rs"]
mod notebook_02_text_and_images;
#[path = "../../examples/notebook_03_images_only.rs"]
mod notebook_03_images_only;
#[path = "../../examples/notebook_04_multimodal_backend.rs"]
mod notebook_04_multimodal_backend;
#[path = "../../examples/notebook_05_swap_a_stage.rs"]
mod notebook_05_swap_a_stage;
#[cfg(feature = "lazy")]
#[path = "../../examples/notebook_06_topics_to_polars.rs"]
mod notebook_06_topics_to_polars;
#[path = "../../examples/notebook_07_keep_a_model.rs"]
mod notebook_07_keep_a_model;
#[path = "../../examples/notebook_08_working_with_topics.rs"]
mod notebook_08_working_with_topics;
#[path = "../../examples/notebook_09_seeing.rs"]
mod notebook_09_seeing;

/// Files and folders written by the notebooks; the examples write them where nothing is kept.
const WRITTEN: [&str; 11] = [
    "topics.html",
    "topics_with_pictures.html",
    "drawings_with_topics.parquet",
    "placed_drawings.parquet",
    "drawings_model",
    "shared_model",
    "bertopic_model",
    "edited_model",
    "edited_topics.html",
    "documents_map.svg",
    "documents_map.json",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn notebooks() -> Vec<(String, Value)> {
    if is_published() {
        return Vec::new();
    }
    let mut paths: Vec<PathBuf> =
        fs::read_dir(root().join("notebooks")).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "ipynb"));
    paths.sort();
    let read = |path: &PathBuf| {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        (name, serde_json::from_slice(&fs::read(path).unwrap()).unwrap())
    };
    paths.iter().map(read).collect()
}

fn text(lines: &Value) -> String {
    match lines {
        Value::String(text) => text.clone(),
        Value::Array(lines) => lines.iter().map(|line| line.as_str().unwrap()).collect(),
        other => panic!("{other}"),
    }
}

fn code_cells(notebook: &Value) -> Vec<&Value> {
    notebook["cells"].as_array().unwrap().iter().filter(|cell| cell["cell_type"] == "code").collect()
}

/// A cell's statements and the expression that it displays, if it ends with one.
fn split(cell: &str) -> (String, Option<String>) {
    let mut depth = 0_i32;
    let (mut in_text, mut in_comment, mut escaped) = (false, false, false);
    let mut starts = vec![0];
    let characters: Vec<(usize, char)> = cell.char_indices().collect();
    for (position, &(at, character)) in characters.iter().enumerate() {
        let next = characters.get(position + 1).map(|&(_, character)| character);
        match character {
            '\n' if in_comment => in_comment = false,
            _ if in_comment => {}
            '\\' if in_text => escaped = !escaped,
            '"' if !escaped => in_text = !in_text,
            _ if in_text => escaped = false,
            '/' if next == Some('/') => in_comment = true,
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => {
                depth -= 1;
                let statement = cell[*starts.last().unwrap()..at].trim_start();
                if depth == 0
                    && character == '}'
                    && is_block(statement)
                    && next != Some(';')
                    && !continues(&cell[at + 1..])
                {
                    starts.push(at + 1);
                }
            }
            ';' if depth == 0 => starts.push(at + 1),
            _ => {}
        }
    }
    let last = *starts.last().unwrap();
    let (statements, expression) = cell.split_at(last);
    let expression = expression.trim();
    (statements.trim_end().to_owned(), (!expression.is_empty()).then(|| expression.to_owned()))
}

/// Whether a statement ends at its closing brace.
fn is_block(statement: &str) -> bool {
    let code = statement.lines().find(|line| !line.starts_with("//") && !line.starts_with("#[")).unwrap_or("");
    ["fn ", "struct ", "impl ", "for ", "if "].iter().any(|keyword| code.starts_with(keyword))
}

fn continues(rest: &str) -> bool {
    rest.trim_start().starts_with("else")
}

/// The example with a notebook's code.
fn example(name: &str, notebook: &Value) -> String {
    let mut body = String::new();
    for (number, cell) in code_cells(notebook).iter().enumerate() {
        let (statements, expression) = split(&text(&cell["source"]));
        body += &format!("\n    // Cell {}\n", number + 1);
        let shown = expression.map(|expression| format!("cell(&{expression});"));
        for line in statements.lines().chain(shown.iter().flat_map(|shown| shown.lines())) {
            body += &if line.is_empty() { "\n".to_owned() } else { format!("    {line}\n") };
        }
    }
    let mut body = body.replace("\"../examples", "\"examples").replace("\"../tests", "\"tests");
    for file in WRITTEN {
        body = body.replace(&format!("\"{file}\""), &format!("\"target/{file}\""));
    }
    let shows = if body.contains("    cell(&") {
        "\nuse topicframe::prelude::Show;\n\n/// Prints what a cell displays, as text.\nfn cell(shown: &dyn Show) {\n    println!(\"{}\\n\", shown.to_text().unwrap_or_default());\n}\n"
    } else {
        ""
    };
    format!(
        "//! The code of `notebooks/{name}.ipynb`, cell by cell; generated by\n\
         //! `TOPICFRAME_WRITE_EXAMPLES=1 cargo test --release notebooks`.\n{shows}\n\
         #[rustfmt::skip]\n#[allow(unused_variables, clippy::all)]\npub fn main() -> Result<(), Box<dyn std::error::Error>> {{{}\n    Ok(())\n}}\n",
        body
    )
}

#[test]
fn the_examples_are_the_notebooks_code() {
    for (name, notebook) in notebooks() {
        let path = root().join("examples").join(format!("notebook_{name}.rs"));
        let wanted = example(&name, &notebook);
        if std::env::var_os("TOPICFRAME_WRITE_EXAMPLES").is_some() {
            fs::write(&path, &wanted).unwrap();
        }
        let there = fs::read_to_string(&path).unwrap();
        assert!(
            there == wanted,
            "{} is not the code of its notebook: TOPICFRAME_WRITE_EXAMPLES=1 writes it",
            path.display()
        );
    }
}

#[test]
fn the_notebooks_are_saved_with_what_they_show() {
    let notebooks = notebooks();
    if is_published() {
        return;
    }
    assert_eq!(notebooks.len(), 9);
    for (name, notebook) in &notebooks {
        assert_eq!(notebook["metadata"]["kernelspec"]["name"], "topicframe", "{name}");
        let mut tables = 0;
        for cell in code_cells(notebook) {
            let source = text(&cell["source"]);
            assert!(cell["execution_count"].is_u64(), "{name}: not run: {source}");
            let outputs = cell["outputs"].as_array().unwrap();
            for output in outputs {
                assert_ne!(output["output_type"], "error", "{name}: {source}");
                assert_ne!(output["name"], "stderr", "{name}: {source}: {output}");
                let html = output["data"].get("text/html").map(text).unwrap_or_default();
                tables += usize::from(html.contains("<table"));
                let said = html + &output.get("text").map(text).unwrap_or_default();
                for path in ["/home/", "/root/", "/tmp/", "/work/"] {
                    assert!(!said.contains(path), "{name} shows a path of the machine it ran on: {source}");
                }
            }
            // evcxr displays a value in its debug format if the last expression of a cell moves a variable.
            let is_debug = |output: &Value| {
                let plain = output["data"].get("text/plain").map(text).unwrap_or_default();
                ["Html {", "HtmlTable {"].iter().any(|kind| plain.starts_with(kind))
            };
            assert!(!outputs.iter().any(is_debug), "{name}: borrow the variables in the last line of {source}");
            let shows = split(&source).1.is_some();
            assert!(!shows || !outputs.is_empty(), "{name}: nothing is shown below {source}");
        }
        assert!(tables >= 2, "{name} shows {tables} tables");
    }
    let pictures = |name: &str| {
        let (_, notebook) = notebooks.iter().find(|(found, _)| found.starts_with(name)).unwrap();
        notebook.to_string().matches("data:image/").count()
    };
    assert!(pictures("02") > 20 && pictures("03") > 5 && pictures("04") > 3 && pictures("08") > 20);
}

#[test]
fn the_links_between_notebooks_lead_somewhere() {
    for (name, notebook) in notebooks() {
        for cell in notebook["cells"].as_array().unwrap().iter().filter(|cell| cell["cell_type"] == "markdown") {
            for link in text(&cell["source"]).split("](").skip(1) {
                let target = link.split(')').next().unwrap();
                let there = target.starts_with("https://") || root().join("notebooks").join(target).exists();
                assert!(there, "{name}: {target}");
            }
        }
    }
}

#[test]
fn cells_split_where_rust_does() {
    let (statements, shown) =
        split("let a = \"; {\";\n// a; b\nif a { 1; } else { 2; }\nfn f() -> i32 { 3 }\nf(\n    1,\n)?");
    assert!(statements.ends_with("{ 3 }"), "{statements}");
    assert_eq!(shown.as_deref(), Some("f(\n    1,\n)?"));
    assert_eq!(split("let x = match a { _ => 1 };\n").1, None);
    assert_eq!(split("x").1.as_deref(), Some("x"));
}

/// Runs a notebook's code; its output goes to `target`, which some notebooks place elsewhere.
fn run(main: fn() -> Result<(), Box<dyn std::error::Error>>) {
    fs::create_dir_all(root().join("target")).unwrap();
    main().unwrap();
}

#[test]
fn notebook_01() {
    run(notebook_01_text::main);
}

#[test]
fn notebook_02() {
    run(notebook_02_text_and_images::main);
}

#[test]
fn notebook_03() {
    run(notebook_03_images_only::main);
}

#[test]
fn notebook_04() {
    run(notebook_04_multimodal_backend::main);
}

#[test]
fn notebook_05() {
    run(notebook_05_swap_a_stage::main);
}

#[cfg(feature = "lazy")]
#[test]
fn notebook_06() {
    run(notebook_06_topics_to_polars::main);
}

#[test]
fn notebook_07() {
    run(notebook_07_keep_a_model::main);
}

#[test]
fn notebook_08() {
    run(notebook_08_working_with_topics::main);
}

#[test]
fn notebook_09() {
    run(notebook_09_seeing::main);
}
