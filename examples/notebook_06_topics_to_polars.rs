//! The code of `notebooks/06_topics_to_polars.ipynb`, cell after cell: `TOPICFRAME_WRITE_EXAMPLES=1 cargo test --release notebooks`
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
    use topicframe::polars::prelude::*;

    let drawings = read_csv("examples/data/openclipart/captions.csv")?;
    let model = TopicModel::text("caption", StaticEmbedder::builtin());
    let (topics, drawings) = model.fit_transform(&drawings)?;
    cell(&drawings.head(Some(3)));

    // Cell 2
    let by_topic = drawings.clone().lazy()
        .filter(col("Topic").neq(lit(-1)))
        .group_by([col("Topic")])
        .agg([
            len().alias("drawings"),
            col("author").n_unique().alias("artists"),
            col("Probability").mean().alias("mean probability"),
        ])
        .sort(["drawings", "Topic"], SortMultipleOptions::default().with_order_descending_multi([true, false]))
        .collect()?;
    cell(&by_topic.head(Some(8)).html().bars("drawings").bars("mean probability"));

    // Cell 3
    let names = topics.get_topic_info()?.select(["Topic", "Name", "Representation"])?;
    let named = by_topic.clone().lazy()
        .join(names.lazy(), [col("Topic")], [col("Topic")], JoinArgs::new(JoinType::Left))
        .select([col("Topic"), col("Name"), col("drawings"), col("artists"), col("Representation")])
        .collect()?;
    cell(&named.head(Some(6)));

    // Cell 4
    let largest = SortMultipleOptions::default();
    let named = named.select(["Topic", "Name"])?;
    let artists = drawings.clone().lazy()
        .group_by([col("author")])
        .agg([len().alias("drawings")])
        .sort(["drawings", "author"], largest.clone().with_order_descending_multi([true, false]))
        .limit(3);

    let who_what = drawings.clone().lazy()
        .filter(col("Topic").neq(lit(-1)))
        .join(artists.select([col("author")]), [col("author")], [col("author")], JoinArgs::new(JoinType::Inner))
        .group_by([col("author"), col("Topic")])
        .agg([len().alias("drawings")])
        .join(named.lazy(), [col("Topic")], [col("Topic")], JoinArgs::new(JoinType::Left))
        .sort(["author", "drawings", "Topic"], largest.with_order_descending_multi([false, true, false]))
        .group_by_stable([col("author")])
        .agg([
            col("Name").head(Some(4)).alias("topics"),
            col("drawings").head(Some(4)),
            col("drawings").sum().alias("all"),
        ])
        .collect()?;
    cell(&who_what.html().bars("all"));

    // Cell 5
    let spread = drawings.clone().lazy()
        .group_by([col("category")])
        .agg([
            len().alias("drawings"),
            col("Topic").filter(col("Topic").neq(lit(-1))).n_unique().alias("topics"),
            (col("Topic").eq(lit(-1)).sum().cast(DataType::Float64) / len().cast(DataType::Float64)).alias("outliers"),
        ])
        .sort(["drawings"], SortMultipleOptions::default().with_order_descending(true))
        .collect()?;
    cell(&spread.html().bars("drawings").bars("outliers"));

    // Cell 6
    use topicframe::corpus::Embeddings;

    let vectors = Embeddings::read(&drawings, "embedding")?;
    let plane = Umap::new().n_components(2).min_dist(0.1).fit(vectors.view()?, 42, &Progress::silent())?;
    cell(&plane);

    // Cell 7
    use topicframe::ndarray::Array2;

    /// Numbers from `low` to `high` as places from 10 to `size` - 10.
    fn places(plane: &Array2<f32>, axis: usize, size: f32) -> Vec<f32> {
        let numbers = plane.column(axis);
        let low = numbers.iter().copied().fold(f32::MAX, f32::min);
        let high = numbers.iter().copied().fold(f32::MIN, f32::max);
        numbers.iter().map(|x| 10.0 + (size - 20.0) * (x - low) / (high - low)).collect()
    }

    /// A circle for each document.
    fn scatter(plane: &Array2<f32>, topics: &[i32], captions: &Column) -> Result<Html, Box<dyn std::error::Error>> {
        let (left, top) = (places(plane, 0, 760.0), places(plane, 1, 460.0));
        let style = "max-width:760px;width:100%;background:#fff;border-radius:8px";
        let mut svg = format!("<svg viewBox='0 0 760 460' style='{style}'>");
        for (row, topic) in topics.iter().enumerate() {
            let colour = if *topic < 0 { "#ddd".to_string() } else { format!("hsl({} 60% 48%)", topic * 47 % 360) };
            let caption = escape_html(captions.str()?.get(row).unwrap_or(""));
            let (x, y) = (left[row], top[row]);
            svg += &format!("<circle cx='{x:.1}' cy='{y:.1}' r='3' fill='{colour}'><title>{caption}</title></circle>");
        }
        Ok(Html::trusted(svg + "</svg>"))
    }
    cell(&show((heading("1,485 captions"), scatter(&plane.embedding, &topics.labels(), drawings.column("caption")?))));

    // Cell 8
    write_frame(&drawings, "target/drawings_with_topics.parquet")?;
    cell(&read_frame("target/drawings_with_topics.parquet")?.select(["caption", "Topic", "Probability"])?.tail(Some(3)));

    Ok(())
}
