//! The code of `notebooks/05_swap_a_stage.ipynb`, cell after cell: `TOPICFRAME_WRITE_EXAMPLES=1 cargo test --release notebooks`
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
    let model = TopicModel::text("caption", StaticEmbedder::builtin());

    // Embed once: the frame gains a column of vectors ...
    let drawings = model.embed(&drawings)?;
    // ... which the models below cluster as they are.
    let model = model.embeddings("embedding");
    cell(&drawings.head(Some(2)));

    // Cell 2
    let plain = model.clone()
        .reducer(Pca::new().n_components(10))
        .clusterer(KMeans::new(14))
        .fit(&drawings)?;
    cell(&plain.get_topic_info()?.select(["Topic", "Count", "Representation"])?);

    // Cell 3
    use std::collections::HashMap;

    fn purity(topics: &FittedTopicModel, drawings: &DataFrame) -> Result<f64, Box<dyn std::error::Error>> {
        let categories = drawings.column("category")?.str()?;
        let mut counts: HashMap<i32, HashMap<&str, usize>> = HashMap::new();
        for (topic, category) in topics.labels().iter().zip(categories.iter()) {
            if *topic >= 0 {
                *counts.entry(*topic).or_default().entry(category.unwrap_or("")).or_default() += 1;
            }
        }
        let pure: usize = counts.values().filter_map(|topic| topic.values().max()).sum();
        Ok(pure as f64 / topics.summary().clustered as f64)
    }

    // Cell 4
    let models = [
        ("UMAP, HDBSCAN (10)", model.clone()),
        ("UMAP, HDBSCAN (25)", model.clone().min_topic_size(25)),
        ("PCA, HDBSCAN (10)", model.clone().reducer(Pca::new().n_components(10))),
        ("UMAP, k-means (14)", model.clone().clusterer(KMeans::new(14))),
        ("PCA, k-means (14)", model.clone().reducer(Pca::new().n_components(10)).clusterer(KMeans::new(14))),
    ];

    let mut names: Vec<&str> = Vec::new();
    let mut counts: Vec<u32> = Vec::new();
    let mut outliers: Vec<u32> = Vec::new();
    let mut purities: Vec<f64> = Vec::new();
    for (name, model) in models {
        let topics = model.fit(&drawings)?;
        names.push(name);
        counts.push(topics.summary().topics as u32);
        outliers.push(topics.summary().outliers as u32);
        purities.push(purity(&topics, &drawings)?);
    }
    let comparison = df!("model" => names, "topics" => counts, "outliers" => outliers, "purity" => purities)?;
    cell(&comparison.html().bars("outliers").bars("purity"));

    // Cell 5
    let phrases = model.clone()
        .vectorizer(CountVectorizer::new().ngram_range(1, 2).min_df(3))
        .ctfidf(ClassTfIdf::new().reduce_frequent_words(true))
        .fit(&drawings)?;
    cell(&phrases.get_topic_info()?.select(["Topic", "Count", "Representation"])?.head(Some(6)));

    // Cell 6
    use std::collections::BTreeMap;

    /// The most frequent label of each topic's rows.
    #[derive(Debug)]
    struct Vote {
        labels: Vec<String>,
    }

    impl Representation for Vote {
        fn check(&self) -> Result<(), Error> {
            match self.labels.is_empty() {
                true => Err(Error::parameter(Stage::Represent, "labels", "[]", "one for each row")),
                false => Ok(()),
            }
        }

        fn describe(&self, context: &TopicContext<'_>, _words: &TopicWords) -> Result<Aspect, Error> {
            let mut votes: BTreeMap<i32, BTreeMap<&str, usize>> = BTreeMap::new();
            for (topic, label) in context.assignments.iter().zip(&self.labels) {
                *votes.entry(*topic).or_default().entry(label).or_default() += 1;
            }
            let winner = |votes: &BTreeMap<&str, usize>| {
                let all: usize = votes.values().sum();
                let best = votes.iter().max_by_key(|(_, count)| **count);
                best.map(|(label, count)| vec![(label.to_string(), *count as f64 / all as f64)]).unwrap_or_default()
            };
            Ok(Aspect::Words(votes.iter().map(|(topic, votes)| (*topic, winner(votes))).collect()))
        }
    }

    // Cell 7
    let labels: Vec<String> =
        drawings.column("category")?.str()?.iter().map(|label| label.unwrap_or("").to_owned()).collect();
    let voted = model.clone().representation("Category", Vote { labels }).fit(&drawings)?;
    cell(&voted.get_topic_info()?.select(["Topic", "Count", "Category", "Representation"])?.head(Some(8)));

    // Cell 8
    cell(&show((
        model.clone().representation("Category", Vote { labels: Vec::new() }).fit(&drawings).map(|_| "fitted"),
        model.clone().min_topic_size(1).fit(&drawings).map(|_| "fitted"),
    )));

    Ok(())
}
