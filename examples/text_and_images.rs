//! Topics of captions, illustrated with images: does in Rust what `topicframe fit` does.
//!
//! ```text
//! cargo run --release --example text_and_images [captions.csv [page.html]]
//! ```

use std::error::Error;
use std::path::PathBuf;

use topicframe::prelude::*;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let captions = arguments.next().unwrap_or_else(|| "examples/data/openclipart/captions.csv".into());
    let page = arguments.next().unwrap_or_else(|| "topics.html".into());

    // One row per drawing; the columns are image, caption, category and author.
    let drawings = read_csv(&captions)?;

    // The captions are clustered; the drawings illustrate the topics.
    let model = TopicModel::text("caption", StaticEmbedder::builtin())
        .with_images("image")
        .image_folder(captions.parent().unwrap_or(&captions))
        .representation("Visual_Aspect", VisualRepresentation::new())
        .verbose(true);

    // The returned frame has the additional columns `embedding`, `Topic` and `Probability`.
    let (topics, drawings) = model.fit_transform(&drawings)?;
    println!("{}", topics.get_topic_freq()?);
    println!("{}", drawings.select(["caption", "Topic", "Probability"])?.head(Some(5)));

    // A table with a collage per topic, as in a notebook ...
    let table = topics.get_topic_info()?.to_html();
    println!("the topic table is {} kB of HTML", table.len() / 1000);

    // ... and an HTML report to share.
    topics.report().write(&page)?;
    println!("wrote {}", page.display());
    Ok(())
}
