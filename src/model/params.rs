//! The parameters of a model as text.

use super::TopicModel;

impl TopicModel {
    /// The columns, the stages and their settings, as names and values in pipeline order (BERTopic's `get_params`). A
    /// notebook cell that ends with a model displays them.
    pub fn get_params(&self) -> Vec<(String, String)> {
        let (encoder, columns) = (&self.encoder, &self.encoder.columns);
        let mut params = Vec::new();
        let mut add = |name: &str, value: Option<String>| params.extend(value.map(|value| (name.to_owned(), value)));
        add("clusters", Some(encoder.cluster_on.to_string()));
        add("text column", columns.text.clone());
        add("image column", columns.image.clone());
        add("text vectors", columns.text_embeddings.clone());
        add("image vectors", columns.image_embeddings.clone());
        add("labels", columns.labels.clone());
        add("embedder", Some(encoder.describe_embedders()));
        add("fusion", encoder.plan().fuses().then(|| format!("{:?}", encoder.fusion)));
        add("captioner", self.captioner.as_ref().map(|captioner| format!("{captioner:?}")));
        add("cleaning", columns.text.is_some().then(|| encoder.cleaning.to_string()));
        add("reducer", self.reduction().map(|reducer| format!("{reducer:?}")));
        add("clusterer", Some(format!("{:?}", self.clusterer)));
        add("outliers", Some(self.outliers.to_string()));
        add("nr_topics", self.nr_topics.map(|count| count.to_string()));
        add("vectorizer", Some(format!("{:?}", self.vectorizer)));
        add("ctfidf", Some(format!("{:?}", self.ctfidf)));
        add("merge_word_forms", Some(self.merge_word_forms.to_string()));
        add("coherent_words", Some(self.coherent_words.to_string()));
        for (name, representation) in &self.representations {
            add(&format!("representation {name}"), Some(format!("{representation:?}")));
        }
        add("top_n_words", Some(self.top_n_words.to_string()));
        add("nr_repr_docs", Some(self.nr_repr_docs.to_string()));
        add("representatives", Some(format!("{:?}", self.representatives)));
        add("seed", Some(self.seed.to_string()));
        params
    }
}
