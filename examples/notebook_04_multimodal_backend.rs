//! The code of `notebooks/04_multimodal_backend.ipynb`, cell after cell: `TOPICFRAME_WRITE_EXAMPLES=1 cargo test --release notebooks`
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

    let model_name = "tests/fixtures/models/clip/sentence_transformers";   // or "clip-ViT-B-32"

    let clip = if std::path::Path::new(model_name).is_dir() {
        MultiModalBackend::from_dir(model_name)?
    } else {
        MultiModalBackend::from_hub(model_name)?
    };
    cell(&clip);

    // Cell 2
    let folder = "examples/data/openclipart";
    let drawings = read_csv("examples/data/openclipart/captions.csv")?.head(Some(200));

    let model = TopicModel::text_and_images("caption", "image", clip.clone())
        .image_folder(folder)
        .clusterer(Hdbscan::new().min_cluster_size(5))
        .representation("Visual_Aspect", VisualRepresentation::new());
    let topics = model.fit(&drawings)?;
    cell(&topics);

    // Cell 3
    let by_pictures = model.clone().fusion(Fusion::new().image_weight(0.8)).fit(&drawings)?;
    let by_texts = model.clone().cluster_on(ClusterOn::Text).fit(&drawings)?;
    cell(&show((
        heading("Pictures count four times as much"),
        by_pictures.summary(),
        heading("Texts alone"),
        by_texts.summary(),
    )));

    // Cell 4
    let pig = format!("{folder}/images/animals/a_simple_pig_01.png");
    cell(&show((topics.find_topics("an animal", 3)?, topics.find_topics_by_image(pig.as_str(), 3)?)));

    // Cell 5
    let captioner = "";

    if captioner.is_empty() {
        println!("No captioner is named: put nlpconnect/vit-gpt2-image-captioning, or a folder, into `captioner` above.");
    } else {
        let captioner = match std::path::Path::new(captioner).is_dir() {
            true => Captioner::from_dir(captioner)?,
            false => Captioner::from_hub(captioner)?,
        };
        let model = TopicModel::images("image", clip.clone())
            .image_folder(folder)
            .captioner(captioner)
            .representation("Visual_Aspect", VisualRepresentation::new());
        model.fit(&drawings)?.evcxr_display();
    }

    Ok(())
}
