//! The code of `notebooks/01_text.ipynb`, cell after cell: `TOPICFRAME_WRITE_EXAMPLES=1 cargo test --release notebooks`
//! writes this file.

use topicframe::prelude::Show;

/// What a cell shows, as text.
fn cell(shown: &dyn Show) {
    println!("{}\n", shown.to_text().unwrap_or_default());
}

#[rustfmt::skip]
#[allow(unused_variables, clippy::all)]
pub fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Cell 1
    use topicframe::prelude::*;

    let drawings = read_csv("examples/data/openclipart/captions.csv")?;
    cell(&drawings.head(Some(5)));

    // Cell 2
    let model = TopicModel::text("caption", StaticEmbedder::builtin());
    cell(&model);

    // Cell 3
    let (topics, drawings) = model.fit_transform(&drawings)?;
    cell(&topics.get_topic_info()?);

    // Cell 4
    cell(&topics.get_topic(0));

    // Cell 5
    cell(&topics.get_representative_docs(0));

    // Cell 6
    cell(&topics.find_topics("a boat on the sea", 3)?);

    // Cell 7
    let new = df!("caption" => ["a jar of honey", "a steam train", "violin"])?;
    cell(&topics.transform(&new)?.select(["caption", "Topic", "Probability"])?);

    // Cell 8
    cell(&topics.get_document_info()?.select(["Document", "Topic", "Name", "Probability"])?.head(Some(8)));

    // Cell 9
    let fewer = topics.reduce_topics(12)?;
    cell(&fewer.get_topic_info()?.select(["Topic", "Count", "Name", "Representation"])?);

    // Cell 10
    topics.to_html_report("target/topics.html")?;

    Ok(())
}
