//! The tree of topics, compared with BERTopic 0.17.4 and scipy 1.15 (tests/fixtures/series/make.py).

use ndarray::Array2;
use topicframe::polars::prelude::*;
use topicframe::prelude::*;

use crate::colors::{EyeAndEar, image_frame};
use crate::figures_svg::{assert_inside, shapes};
use crate::given_topics::{fit, fitted, fixture, floats, ints, list, strings, vectors};

const COLUMNS: [&str; 8] = [
    "Parent_ID",
    "Parent_Name",
    "Topics",
    "Child_Left_ID",
    "Child_Left_Name",
    "Child_Right_ID",
    "Child_Right_Name",
    "Distance",
];

#[test]
fn tree_is_bertopics() {
    let tree = fitted().hierarchical_topics().unwrap();
    let frame = tree.frame().unwrap();
    assert_eq!(frame.get_column_names(), COLUMNS);
    let expected = fixture()["hierarchy"].as_array().unwrap();
    assert_eq!(frame.height(), expected.len());
    for column in ["Parent_ID", "Child_Left_ID", "Child_Right_ID"] {
        assert_eq!(*frame.column(column).unwrap().dtype(), DataType::Int32);
        // BERTopic's ids are texts.
        let ids: Vec<String> = ints(&frame, column).iter().map(i64::to_string).collect();
        let of = |row: &serde_json::Value| row[column].as_str().map_or(row[column].to_string(), str::to_owned);
        assert_eq!(ids, expected.iter().map(of).collect::<Vec<_>>(), "{column}");
    }
    for column in ["Parent_Name", "Child_Left_Name", "Child_Right_Name"] {
        let names: Vec<&str> = expected.iter().map(|row| row[column].as_str().unwrap()).collect();
        assert_eq!(strings(&frame, column), names, "{column}");
    }
    assert_eq!(*frame.column("Topics").unwrap().dtype(), DataType::List(Box::new(DataType::Int32)));
    for (row, merge) in expected.iter().zip(tree.merges().iter().rev()) {
        assert_eq!(merge.topics, list::<i32>(&row["Topics"]));
        assert!((merge.distance - row["Distance"].as_f64().unwrap()).abs() < 1e-9);
    }
    assert_eq!(tree.get_topic_tree(), fixture()["tree"].as_str().unwrap());
    let third = floats(&frame, "Distance")[2].unwrap();
    assert_eq!(tree.get_topic_tree_with(third, true), fixture()["tree_near"].as_str().unwrap());
    // No rows are needed, and nothing depends on threads.
    let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let again = alone.install(|| fitted().without_data().hierarchical_topics()).unwrap();
    assert_eq!(again.get_topic_tree(), tree.get_topic_tree());
    assert_eq!(again.merges()[0].words, tree.merges()[0].words);
    assert!(again.merges()[0].representative_docs.is_empty() && !tree.merges()[0].representative_docs.is_empty());
}

#[test]
fn linkage_is_scipys() {
    for case in fixture()["linkages"].as_array().unwrap() {
        let rows: Vec<Vec<f64>> = list(&case["distances"]);
        let n = rows.len();
        let distances = Array2::from_shape_vec((n, n), rows.concat()).unwrap();
        // The first topic is the largest.
        let labels: Vec<i32> = (0..n).flat_map(|topic| vec![topic as i32; n + 1 - topic]).collect();
        let texts: Vec<String> = labels.iter().map(|label| format!("word{label}")).collect();
        let topics = fit(df!("text" => texts).unwrap(), &labels);
        for (name, expected) in case["linkage"].as_object().unwrap() {
            let options = HierarchyOptions::new()
                .linkage(name.parse().unwrap())
                .distance(TopicDistance::Given(distances.clone()));
            let tree = topics.hierarchical_topics_with(&options).unwrap();
            let expected: Vec<(i32, i32, f64)> = list(expected);
            assert_eq!(tree.merges().len(), n - 1);
            for (merge, (left, right, distance)) in tree.merges().iter().zip(expected) {
                assert_eq!((merge.left, merge.right), (left, right), "{name} of {n}");
                assert!((merge.distance - distance).abs() < 1e-12, "{name} of {n}: {} {distance}", merge.distance);
            }
        }
    }
    assert_eq!("centroid".parse::<Linkage>().unwrap_err().parameter(), Some("linkage"));
}

#[test]
fn cuts_are_merges() {
    let topics = fitted();
    let tree = topics.hierarchical_topics().unwrap();
    for count in 1..=7_usize {
        let cut = topics.cut(&tree, count).unwrap();
        let (labels, labels_of_cut) = (topics.labels(), cut.labels());
        assert_eq!(cut.summary().topics, count.min(6));
        let groups = tree.groups(count).unwrap();
        assert_eq!((groups.len(), groups.concat().len()), (count.min(6), 6));
        // Rows that were together are together, and outliers stay.
        let group_of = |topic: i32| groups.iter().position(|group| group.contains(&topic));
        for (before, after) in labels.iter().zip(&labels_of_cut) {
            assert_eq!(*before == -1, *after == -1);
            let same = labels.iter().zip(&labels_of_cut).find(|(_, label)| *label == after).unwrap();
            assert_eq!(group_of(*before), group_of(*same.0));
        }
    }
    assert_eq!(topics.cut(&tree, 6).unwrap().history().len(), 0, "nothing merged");
    let second = tree.merges()[1].distance;
    assert_eq!(topics.cut(&tree, second).unwrap().labels(), topics.cut(&tree, 4).unwrap().labels());
    assert_eq!(topics.cut(&tree, 0.0).unwrap().labels(), topics.labels());
    assert_eq!(topics.cut(&tree, f64::INFINITY).unwrap().summary().topics, 1);
    assert_eq!(topics.cut(&tree, 0).unwrap_err().parameter(), Some("nr_topics"));
    assert_eq!(topics.cut(&tree, -0.1).unwrap_err().parameter(), Some("distance"));
    assert_eq!(topics.cut(&tree, f64::NAN).unwrap_err().parameter(), Some("distance"));
    let other = topics.cut(&tree, 3).unwrap();
    assert_eq!(other.cut(&tree, 2).unwrap_err().kind(), ErrorKind::InvalidData);
    assert_eq!(topics.without_data().cut(&tree, 2).unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn a_tree_of_other_topics_of_the_same_sizes_is_refused() {
    let texts = df!("text" => ["a cat", "a dog", "a cow", "a train", "a tram", "a pear"]).unwrap();
    let (labels, others) = ([0, 0, 0, 1, 1, 2], [0, 1, 0, 0, 1, 2]);
    let (topics, other) = (fit(texts.clone(), &labels), fit(texts.clone(), &others));
    let tree = topics.hierarchical_topics().unwrap();
    assert_eq!(other.cut(&tree, 2).unwrap_err().kind(), ErrorKind::InvalidData);
    // The same rows with other vectors.
    let turned = texts.hstack(&[vectors(&[5, 5, 5, 3, 3, 1])]).unwrap();
    let turned = crate::given_topics::model(&labels).fit(&turned).unwrap();
    assert_eq!(turned.labels(), topics.labels());
    assert_eq!(turned.cut(&tree, 2).unwrap_err().kind(), ErrorKind::InvalidData);
    // What moves no row changes nothing.
    let named = topics.set_topic_labels([(0, "animals")]).unwrap().with_ctfidf(ClassTfIdf::new()).unwrap();
    let moved = topics.merge_topics(&[&[0, 1]]).unwrap();
    for same in [&topics, &fit(texts, &labels), &named, &moved.undo().unwrap()] {
        assert_eq!(same.cut(&tree, 2).unwrap().topic_ids(), [0, 1]);
    }
    assert!(moved.cut(&tree, 2).is_err());
}

#[test]
fn words_of_a_merge_are_those_of_the_merged_topic() {
    // With coverage, weights do not depend on how texts are divided, so that a cut has the same.
    let topics = fitted().with_ctfidf(ClassTfIdf::new().coverage(true)).unwrap();
    let tree = topics.hierarchical_topics().unwrap();
    for (at, merge) in tree.merges().iter().enumerate() {
        let cut = topics.cut(&tree, 5 - at).unwrap();
        let row = topics.labels().iter().position(|&topic| topic == merge.topics[0]).unwrap();
        let merged = cut.labels()[row];
        assert_eq!(cut.topic_size(merged), Some(merge.size));
        assert_eq!(cut.get_topic(merged).unwrap(), merge.words);
        assert!(merge.words.len() > 5);
        for (row, score) in &merge.representative_rows {
            assert!(merge.topics.contains(&topics.labels()[*row]));
            assert!((score - cut.terms().text_scores[*row]).abs() < 1e-12, "{score}");
        }
        assert_eq!(merge.representative_docs.len(), merge.representative_rows.len());
    }
}

#[test]
fn forms_of_words_are_merged_in_the_tree() {
    let texts = ["cat cats", "cats purr", "cat purrs", "dog dogs", "dogs bark", "train tram"];
    let labels = [0, 0, 0, 1, 1, 2];
    let frame = df!("text" => texts).unwrap().hstack(&[vectors(&labels)]).unwrap();
    let english = CountVectorizer::new().stop_words(StopWords::English);
    let model = crate::given_topics::model(&labels).merge_word_forms(true).vectorizer(english);
    let model = model.ctfidf(ClassTfIdf::new().coverage(true));
    let topics = model.fit(&frame).unwrap();
    let tree = topics.hierarchical_topics().unwrap();
    let words: Vec<&str> = tree.root().unwrap().words.iter().map(|(word, _)| word.as_str()).collect();
    assert!(words.contains(&"cat") != words.contains(&"cats"), "{words:?}");
    assert_eq!(topics.cut(&tree, 1).unwrap().get_topic(0).unwrap(), tree.root().unwrap().words);
}

#[test]
fn images_alone_have_a_tree_with_pictures() {
    let model = TopicModel::images("image", EyeAndEar)
        .reducer(NoReduction)
        .clusterer(KMeans::new(3))
        .representation("Visual_Aspect", VisualRepresentation::new());
    let topics = model.fit(&image_frame(36)).unwrap();
    let tree = topics.hierarchical_topics().unwrap();
    let root = tree.root().unwrap();
    assert_eq!((tree.merges().len(), &root.topics), (2, &vec![0, 1, 2]));
    let pictures = tree.pictures(root.id).unwrap();
    assert_eq!(pictures.topics(), [root.id]);
    let shown = pictures.pictures(root.id);
    let themes: std::collections::BTreeSet<usize> = shown.iter().map(|picture| picture.row % 3).collect();
    assert_eq!((themes.len(), shown.len()), (3, tree.pictures(0).unwrap().pictures(0).len()));
    assert!(pictures.collage(root.id).unwrap().is_some());
    assert!(tree.pictures(99).is_none());
    assert!(!root.representative_rows.is_empty());
    let by_words = HierarchyOptions::new().distance(TopicDistance::CTfIdf);
    assert_eq!(topics.hierarchical_topics_with(&by_words).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(topics.cut(&tree, 1).unwrap().topic_ids(), [0]);
}

#[test]
fn vectors_decide_if_asked() {
    // Topics 0 and 1 share words, 0 and 2 a direction.
    let labels: Vec<i32> = [vec![0; 5], vec![1; 4], vec![2; 3]].concat();
    let texts: Vec<&str> =
        labels.iter().map(|&label| ["cat dog", "cat dog cow", "train tram"][label as usize]).collect();
    let vector = |&label: &i32| Series::new("".into(), [[1.0_f32, 0.1], [-1.0, 0.3], [1.0, 0.2]][label as usize]);
    let column = Column::new("embedding".into(), labels.iter().map(vector).collect::<Vec<Series>>());
    let frame = df!("text" => texts).unwrap().hstack(&[column]).unwrap();
    let topics = TopicModel::text("text", StaticEmbedder::builtin())
        .embeddings("embedding")
        .reducer(NoReduction)
        .clusterer(KMeans::new(3))
        .fit(&frame)
        .unwrap();
    assert_eq!(topics.labels(), labels);
    let first = |distance: TopicDistance| {
        let options = HierarchyOptions::new().linkage(Linkage::Average).distance(distance);
        topics.hierarchical_topics_with(&options).unwrap().merges()[0].topics.clone()
    };
    assert_eq!(first(TopicDistance::CTfIdf), [0, 1]);
    assert_eq!(first(TopicDistance::Auto), [0, 1]);
    assert_eq!(first(TopicDistance::Vectors), [0, 2]);
}

#[test]
fn no_topics_are_an_empty_tree() {
    for labels in [[0; 6], [-1; 6]] {
        let topics = fit(df!("text" => ["a cat sleeps"; 6]).unwrap(), &labels);
        let tree = topics.hierarchical_topics().unwrap();
        let frame = tree.frame().unwrap();
        assert_eq!((frame.height(), frame.width()), (0, 8));
        assert_eq!(frame.get_column_names(), COLUMNS);
        assert_eq!(*frame.column("Topics").unwrap().dtype(), DataType::List(Box::new(DataType::Int32)));
        assert_eq!((tree.get_topic_tree(), tree.root()), (".\n".to_owned(), None));
        assert_eq!(topics.cut(&tree, 3).unwrap().labels(), labels);
        assert!(Show::to_html(&tree).contains("topic"));
    }
}

#[test]
fn given_distances_are_checked() {
    let refused = |change: fn(&mut Array2<f64>), message: &str| {
        let mut distances = Array2::from_elem((6, 6), 1.0);
        distances.diag_mut().fill(0.0);
        change(&mut distances);
        let options = HierarchyOptions::new().distance(TopicDistance::Given(distances));
        let error = fitted().hierarchical_topics_with(&options).unwrap_err();
        assert!(error.to_string().contains(message), "{error}");
    };
    refused(|d| *d = Array2::zeros((5, 6)), "5 x 6");
    refused(|d| d[(1, 2)] = f64::NAN, "(1, 2)");
    refused(|d| d[(2, 1)] = -1.0, "(2, 1)");
    refused(|d| d[(3, 3)] = 0.5, "(3, 3)");
    refused(|d| d[(0, 1)] = 0.5, "differ");
}

#[test]
fn trees_are_shown() {
    let texts: Vec<String> = (0..150).flat_map(|topic| vec![format!("w{topic}"); 2]).collect();
    let labels: Vec<i32> = (0..300).map(|row| row / 2).collect();
    let topics = fit(df!("text" => texts).unwrap(), &labels);
    let large = topics.hierarchical_topics().unwrap();
    let html = Show::to_html(&large);
    assert!(html.contains("150 topics, 149 merges") && html.contains("&lt;/svg&gt;"));
    let figure = topics.visualize_hierarchy();
    let drawn = shapes(&figure.svg().unwrap());
    assert_inside(&drawn);
    assert_eq!(drawn.iter().filter(|shape| shape.name == "path").count(), 99, "the upper part");
    let ends: Vec<&str> = drawn.iter().filter(|shape| shape.name == "text").map(|shape| &*shape.text).collect();
    let folded = ends.iter().filter_map(|text| text.split_once(" topics: ")).map(|(count, _)| count);
    let folded: Vec<usize> = folded.map(|count| count.parse().unwrap()).collect();
    let single = ends.iter().filter(|text| text.contains("_w") && !text.contains(" topics: ")).count();
    assert_eq!((folded.len() + single, folded.iter().sum::<usize>() + single), (100, 150));
    assert!(ends.contains(&"150 topics in 100 branches"));
    assert_eq!(figure.frame().unwrap().height(), 149, "the frame has all merges");
    let tree = fitted().hierarchical_topics().unwrap();
    let html = Show::to_html(&tree);
    assert!(html.starts_with("<div class=\"topicframe\"") && html.contains("6 topics, 5 merges"));
    assert_eq!(Show::to_text(&tree), Some(tree.get_topic_tree()));
}

#[test]
fn a_dendrogram_has_the_merges_of_the_tree() {
    let (topics, tree) = (fitted(), fitted().hierarchical_topics().unwrap());
    let figure = topics.visualize_hierarchy();
    let frame = figure.frame().unwrap();
    assert_eq!(frame.get_column_names(), ["Child_a", "Child_b", "Parent", "Distance", "Size", "Name"]);
    for (row, merge) in tree.merges().iter().enumerate() {
        let number = |column: &str| ints(&frame, column)[row];
        assert_eq!((number("Child_a"), number("Child_b")), (i64::from(merge.left), i64::from(merge.right)));
        assert_eq!((number("Parent"), number("Size")), (i64::from(merge.id), merge.size as i64));
        assert_eq!(floats(&frame, "Distance")[row], Some(merge.distance));
        assert_eq!(strings(&frame, "Name")[row], merge.name);
    }
    let heights: Vec<f64> = list(&crate::figures_charts::theirs()["hierarchy"]);
    for (own, theirs) in floats(&frame, "Distance").into_iter().zip(heights) {
        assert!((own.unwrap() - theirs.abs()).abs() < 1e-8, "{own:?} {theirs}");
    }
    // Every joint has its words, and every leaf its label.
    let drawn = shapes(&figure.svg().unwrap());
    let with = |name: &str, text: &str| drawn.iter().any(|shape| shape.name == name && shape.text.contains(text));
    assert!(tree.merges().iter().all(|merge| with("title", &format!("{}: {} (", merge.id, merge.name))));
    assert!(tree.leaves().iter().all(|leaf| with("text", &topics.topic_label(leaf.id).unwrap())));
    let given = topics.visualize_hierarchy().tree(&tree);
    assert_eq!(given.svg().unwrap(), figure.svg().unwrap());
    let labeled = topics.set_topic_labels([(0, "Pets")]).unwrap();
    assert!(labeled.visualize_hierarchy().svg().unwrap().contains(">Pets</text>"));
}

#[test]
fn a_dendrogram_of_some_topics_is_a_part_of_the_tree() {
    let (topics, tree) = (fitted(), fitted().hierarchical_topics().unwrap());
    let frame = topics.visualize_hierarchy().topics(&[5, 0, 3]).frame().unwrap();
    assert_eq!(frame.height(), 2);
    // Two topics are together where the tree first has both.
    let together = |wanted: &[i32]| {
        tree.merges().iter().find(|merge| wanted.iter().all(|topic| merge.topics.contains(topic))).unwrap().distance
    };
    assert_eq!(floats(&frame, "Distance")[1], Some(together(&[0, 3, 5])));
    let pairs = [together(&[0, 3]), together(&[0, 5]), together(&[3, 5])];
    assert_eq!(floats(&frame, "Distance")[0], Some(pairs.into_iter().fold(f64::INFINITY, f64::min)));
    let rows: usize = [0, 3, 5].iter().filter_map(|&topic| topics.topic_size(topic)).sum();
    assert_eq!(ints(&frame, "Size")[1], rows as i64);
    assert_eq!(topics.visualize_hierarchy().top(1).frame().unwrap().height(), 0);
    // Errors.
    assert_eq!(topics.visualize_hierarchy().topics(&[0, -1]).frame().unwrap_err().parameter(), Some("topics"));
    let wrong = topics.visualize_hierarchy().color_threshold(f64::NAN).frame().unwrap_err();
    assert_eq!(wrong.parameter(), Some("color_threshold"));
    let other = topics.cut(&tree, 3).unwrap();
    assert_eq!(other.visualize_hierarchy().tree(&tree).frame().unwrap_err().kind(), ErrorKind::InvalidData);
}

#[test]
fn branches_below_the_threshold_have_colors() {
    let colors = |threshold: f64| {
        let drawn = shapes(&fitted().visualize_hierarchy().color_threshold(threshold).svg().unwrap());
        let paths = drawn.iter().filter(|shape| shape.name == "path");
        let colors: std::collections::BTreeSet<String> = paths.map(|path| path.attributes["stroke"].clone()).collect();
        colors
    };
    assert_eq!(colors(0.0).len(), 1);
    assert_eq!(colors(f64::INFINITY).len(), 1);
    assert!(colors(0.0).is_disjoint(&colors(f64::INFINITY)));
    let tree = fitted().hierarchical_topics().unwrap();
    assert_eq!(colors(tree.merges()[4].distance).len(), 3, "two branches, and the root");
}
