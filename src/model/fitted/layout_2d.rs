//! The rows in the plane.

use std::sync::Arc;

use ndarray::Array2;
use polars::prelude::*;

use super::{FittedTopicModel, replace_columns};
use crate::corpus::{DistinctRows, internal};
use crate::error::{Error, ErrorKind, Hint, Result, Stage};
use crate::graph::FittedNeighborGraph;
use crate::model::data::Data;
use crate::model::layout::{Layout, Scale, turned};
use crate::reduce::umap::FittedUmap;
use crate::reduce::{FittedReducer, Umap};

/// The number of neighbors of BERTopic's figures of documents, where there is no graph of the fit.
const NEIGHBORS: usize = 10;

impl FittedTopicModel {
    /// The rows of the fit in the plane, for figures: `x` and `y` (Float32), null for a row without a vector.
    ///
    /// The layout is UMAP's, in two dimensions, with `min_dist` 0, seeded by the model's [seed](crate::TopicModel::seed),
    /// and turned such that it is widest from left to right. A model of [`Communities`](crate::cluster::Communities) lays
    /// out the neighbor graph that it has clustered, so that what is near in the plane is near for the topics, too; other
    /// models lay out the vectors by 10 neighbors and cosine distance, as BERTopic does. Distances between far topics
    /// mean little.
    ///
    /// It is computed once, when it is first needed; clones, edits and [`save`](Self::save) keep it, and
    /// [`get_document_info`](Self::get_document_info) then has it.
    ///
    /// ```
    /// use topicframe::prelude::*;
    ///
    /// let posts = df!("text" => ["the cat sleeps", "a fast train", "the dog sleeps"].repeat(10))?;
    /// let model = TopicModel::text("text", StaticEmbedder::builtin()).reducer(NoReduction).clusterer(KMeans::new(2));
    /// let topics = model.fit(&posts)?;
    /// let plane = topics.layout_2d()?;
    /// assert_eq!((plane.height(), plane.get_column_names()[..] == ["x", "y"]), (30, true));
    ///
    /// let placed = topics.layout_2d_of(&df!("text" => ["a fast train"])?)?; // a known text keeps its place
    /// assert_eq!(placed.column("x")?.f32()?.get(0), plane.column("x")?.f32()?.get(1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The model has no rows, or neither their vectors nor their neighbor graph, and no layout was made before;
    /// interrupted.
    pub fn layout_2d(&self) -> Result<DataFrame> {
        self.layout()?.frame()
    }

    /// New rows in the plane of [`layout_2d`](Self::layout_2d), each placed by its neighbors among the rows of the fit:
    /// `frame` with `x` and `y` (Float32), null for a row without a vector. Rows are placed independently of each other;
    /// a row whose vector occurred in the fit has the same place.
    ///
    /// # Errors
    /// As [`layout_2d`](Self::layout_2d) and [`transform`](Self::transform); the layout was
    /// [given](Self::with_layout_2d).
    pub fn layout_2d_of(&self, frame: &DataFrame) -> Result<DataFrame> {
        let progress = &self.settings.progress;
        let encoded = self.pipeline.encoder.encode(frame, progress)?;
        let placed = match encoded.rows.is_empty() {
            true => Array2::zeros((0, 2)),
            false => self.placing()?.transform(&encoded.clustered.of_rows(&encoded.rows)?, progress)?,
        };
        let places: Vec<u32> = (0..placed.nrows() as u32).collect();
        let layout = Layout::new(&pairs(&placed), &encoded.rows, &places, frame.height(), None);
        replace_columns(frame, layout.columns().into())
    }

    /// The same model with another layout: a frame with the numeric columns `x` and `y` and one row for each row of the
    /// fit, such as [`layout_2d`](Self::layout_2d) returns, in which null means that a row has no place. For layouts of other programs
    /// (BERTopic's `reduced_embeddings`), and for models without vectors.
    ///
    /// # Errors
    /// The frame has another number of rows; a column is missing or not numeric; a value is infinite, NaN, or null in one
    /// of the columns only.
    pub fn with_layout_2d(&self, layout: &DataFrame) -> Result<FittedTopicModel> {
        let rows = self.topics.assignment.topics.len();
        if layout.height() != rows {
            let message = format!("the layout has {} rows, but the model has {rows}", layout.height());
            return Err(Error::new(ErrorKind::InvalidData, Stage::Topics, message));
        }
        let (x, y) = (coordinates(layout, "x")?, coordinates(layout, "y")?);
        let point = |(row, (x, y)): (usize, (&Option<f32>, &Option<f32>))| match (x, y) {
            (None, None) => Ok(None),
            (Some(x), Some(y)) if x.is_finite() && y.is_finite() => Ok(Some([*x, *y])),
            _ => {
                let message = "a position is not finite, or has only one coordinate";
                Err(Error::new(ErrorKind::InvalidData, Stage::Topics, message).with_row(row))
            }
        };
        let points = x.iter().zip(&y).enumerate().map(point).collect::<Result<Vec<_>>>()?;
        Ok(FittedTopicModel { layout: Arc::new(Layout::given(points).into()), ..self.clone() })
    }

    /// The layout, which is computed when it is first needed.
    pub(crate) fn layout(&self) -> Result<&Layout> {
        match self.layout.get() {
            Some(layout) => Ok(layout),
            None => {
                let layout = self.new_layout()?;
                Ok(self.layout.get_or_init(|| layout))
            }
        }
    }

    fn new_layout(&self) -> Result<Layout> {
        let (seed, progress) = (self.settings.seed, &self.settings.progress);
        let nodes = self.nodes()?;
        let (embedding, scale) = match &nodes.graph {
            _ if nodes.firsts.is_empty() => (Array2::zeros((0, 2)), None),
            Some(graph) => {
                let scale = Scale { n_neighbors: graph.n_neighbors(), mean_distance: graph.mean_distance() };
                (settings().layout_of_graph(graph, seed, progress)?, Some(scale))
            }
            None => {
                let vectors = self.data_with_vectors("layout_2d")?.encoded.clustered.of_rows(&nodes.firsts)?;
                let umap = settings().fit_layout(vectors, seed, progress)?;
                let scale = Scale { n_neighbors: umap.n_neighbors(), mean_distance: umap.mean_distance() };
                (umap.embedding().clone(), Some(scale))
            }
        };
        let mut positions = pairs(&embedding);
        turned(&mut positions);
        if positions.as_flattened().iter().any(|x| !x.is_finite()) {
            return Err(Error::new(ErrorKind::Internal, Stage::Topics, "the layout has positions that are not finite"));
        }
        Ok(Layout::new(&positions, &nodes.rows, &nodes.places, self.topics.assignment.topics.len(), scale))
    }

    /// What places new rows.
    fn placing(&self) -> Result<Arc<FittedUmap>> {
        let layout = self.layout()?;
        let Some(scale) = layout.scale() else {
            let message = "new rows cannot be placed in a layout that was given";
            return Err(Error::new(ErrorKind::NotFound, Stage::Topics, message).with_hint(
                "Place them with the program that made the layout; layout_2d_of() needs the layout of layout_2d().",
            ));
        };
        layout.placing(|| {
            let nodes = self.nodes()?;
            let point = |&row: &usize| layout.points().get(row).filter(|[x, y]| x.is_finite() && y.is_finite());
            let positions: Option<Vec<[f32; 2]>> = nodes.firsts.iter().map(|row| point(row).copied()).collect();
            let positions = positions.ok_or_else(|| {
                Error::new(ErrorKind::InvalidData, Stage::Topics, "the layout is not one of the rows of this model")
            })?;
            let index = match nodes.graph {
                Some(graph) => Arc::clone(graph.index()),
                None => {
                    let vectors = self.data_with_vectors("layout_2d_of")?.encoded.clustered.of_rows(&nodes.firsts)?;
                    Arc::new(settings().index(vectors, &self.settings.progress)?)
                }
            };
            let embedding = Array2::from_shape_vec((positions.len(), 2), positions.into_flattened());
            let embedding = embedding.map_err(internal)?;
            let n_neighbors = scale.n_neighbors.clamp(1, embedding.nrows().max(1));
            Ok(settings().placing(index, embedding, n_neighbors, scale.mean_distance, self.settings.seed))
        })
    }

    /// The distinct vectors that are laid out, and those of each row.
    fn nodes(&self) -> Result<Nodes> {
        let clustered = self.pipeline.reducer.is_none().then(|| self.pipeline.clusterer.neighbor_graph()).flatten();
        if let (Some((graph, places)), Some(data)) = (clustered, self.data.as_deref())
            && places.len() == data.encoded.rows.len()
            && let Some(firsts) = first_rows(&data.encoded.rows, &places, graph.rows())
            && graph.edges().rows() == graph.rows()
        {
            return Ok(Nodes { rows: data.encoded.rows.clone(), places, firsts, graph: Some(graph) });
        }
        if self.data.is_none() && self.imported.is_some() {
            let message = "layout_2d needs the vectors of the rows, which BERTopic does not save with a model";
            return Err(Error::new(ErrorKind::NotFound, Stage::Topics, message).with_hint(
                Hint::new("Give the model a layout with with_layout_2d().")
                    .on_command_line("Fit a model with topicframe."),
            ));
        }
        Ok(Nodes::of(self.data_with_vectors("layout_2d")?))
    }
}

/// Distinct vectors.
struct Nodes {
    /// The rows that have one, ascending.
    rows: Vec<usize>,
    /// The vector of each of them.
    places: Vec<u32>,
    /// The first row with each vector.
    firsts: Vec<usize>,
    /// The graph that was clustered, whose rows these vectors are.
    graph: Option<FittedNeighborGraph>,
}

impl Nodes {
    /// The vectors of all rows that have a direction.
    fn of(data: &Data) -> Self {
        let vectors = &data.encoded.clustered;
        let rows: Vec<usize> = data.encoded.rows.iter().copied().filter(|&row| !vectors.is_zero(row)).collect();
        let DistinctRows { firsts, places, .. } = DistinctRows::of(vectors, &rows);
        Nodes { rows, places, firsts, graph: None }
    }
}

/// BERTopic's settings for figures of documents.
fn settings() -> Umap {
    Umap::new().n_neighbors(NEIGHBORS).n_components(2)
}

/// The first row at each of `count` places; `None` if a place has no row, or does not exist.
fn first_rows(rows: &[usize], places: &[u32], count: usize) -> Option<Vec<usize>> {
    let mut firsts = vec![usize::MAX; count];
    for (&row, &place) in rows.iter().zip(places).rev() {
        *firsts.get_mut(place as usize)? = row;
    }
    (!firsts.contains(&usize::MAX)).then_some(firsts)
}

/// The rows of a matrix of two columns.
fn pairs(matrix: &Array2<f32>) -> Vec<[f32; 2]> {
    let values: Vec<f32> = matrix.iter().copied().collect();
    values.as_chunks::<2>().0.to_vec()
}

/// A numeric column.
fn coordinates(layout: &DataFrame, name: &str) -> Result<Vec<Option<f32>>> {
    let column = layout.column(name).map_err(|_| {
        Error::new(ErrorKind::MissingColumn, Stage::Topics, "the layout has no such column").with_column(name)
    })?;
    if !column.dtype().is_primitive_numeric() {
        let message = "the column has no numbers";
        return Err(Error::new(ErrorKind::WrongType, Stage::Topics, message).with_column(name));
    }
    let column = column.cast(&DataType::Float32).map_err(internal)?;
    Ok(column.f32().map_err(internal)?.iter().collect())
}
