//! The code of `notebooks/02_text_and_images.ipynb`, cell after cell: `TOPICFRAME_WRITE_EXAMPLES=1 cargo test --release notebooks`
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

    let folder = "examples/data/openclipart";
    let drawings = read_csv("examples/data/openclipart/captions.csv")?;
    let pig = format!("{folder}/images/animals/a_simple_pig_01.png");
    cell(&show((drawings.select(["image", "caption"])?.head(Some(3)), picture(pig.as_str()))));

    // Cell 2
    cell(&drawings.select(["image", "caption", "category"])?.head(Some(4))
        .html()
        .formatter("image", image_formatter().folder(folder).height(90)));

    // Cell 3
    let model = TopicModel::text("caption", StaticEmbedder::builtin())
        .with_images("image")
        .image_folder(folder)
        .representation("Visual_Aspect", VisualRepresentation::new());
    let (topics, drawings) = model.fit_transform(&drawings)?;
    cell(&topics.summary());

    // Cell 4
    cell(&topics.get_topic_info()?.head(Some(8)));

    // Cell 5
    cell(&topics.topic_aspect("Visual_Aspect")?);

    // Cell 6
    let described = model.clone()
        .embeddings("embedding")
        .representation("KeyBERT", KeyBERTInspired::new())
        .representation("MMR", MaximalMarginalRelevance::new().diversity(0.3));
    let described = described.fit(&drawings)?;
    cell(&described.get_topic_info()?.select(["Topic", "Count", "Representation", "KeyBERT", "MMR"])?.head(Some(6)));

    // Cell 7
    use topicframe::polars::prelude::*;

    let in_topic = drawings.column("Topic")?.i32()?.equal(0);
    let surest = SortMultipleOptions::default().with_order_descending(true);
    let members = drawings.filter(&in_topic)?.sort(["Probability"], surest)?.head(Some(5));
    cell(&members.select(["image", "caption", "Probability"])?
        .html()
        .formatter("image", image_formatter().folder(folder).height(80))
        .bars("Probability"));

    // Cell 8
    topics.to_html_report("target/topics_with_pictures.html")?;

    Ok(())
}
