//! Self-attention over concatenated sequences (Vaswani et al. 2017).

use std::ops::Range;
use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp1, D, Device, Layout, Shape, Tensor};
use rayon::prelude::*;

use super::contiguous_values;
use crate::error::Result;
use crate::linalg::elementwise;
use crate::linalg::matmul::{Aligned, Kernel};
use crate::nn::model_folder::compute_error;

/// Where the sequences of a batch begin and end.
#[derive(Debug, Clone)]
pub(crate) struct Spans {
    ends: Vec<usize>,
}

impl Spans {
    /// Sequences of these lengths.
    pub(crate) fn of_lengths(lengths: impl IntoIterator<Item = usize>) -> Self {
        let mut end = 0;
        let ends = lengths.into_iter().map(|length| {
            end += length;
            end
        });
        Spans { ends: ends.collect() }
    }

    /// The number of sequences.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The number of tokens.
    pub(crate) fn tokens(&self) -> usize {
        self.ends.last().copied().unwrap_or(0)
    }

    /// The tokens of each sequence.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Range<usize>> + '_ {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| start..end)
    }
}

/// The bias that a head adds to its scores, by the distance from query to key (MPNet; Raffel et al. 2020).
#[derive(Debug)]
pub(crate) struct RelativeBias {
    /// For each head, the bias for each distance from `1 - max_length` to `max_length - 1`.
    of_heads: Vec<Vec<f32>>,
    max_length: usize,
}

impl RelativeBias {
    /// `of` returns a head's bias for a distance (key minus query); sequences have at most `max_length` tokens.
    pub(crate) fn new(heads: usize, max_length: usize, of: impl Fn(usize, i64) -> f32) -> Self {
        let distances = || (1 - max_length as i64)..max_length as i64;
        RelativeBias {
            of_heads: (0..heads).map(|head| distances().map(|distance| of(head, distance)).collect()).collect(),
            max_length,
        }
    }

    /// For one query: the biases for all keys, in order.
    fn of_query(&self, head: usize, query: usize) -> &[f32] {
        self.of_heads
            .get(head)
            .and_then(|biases| biases.get((self.max_length - 1).checked_sub(query)?..))
            .unwrap_or_default()
    }
}

/// Multi-head attention: queries, keys and values of a token are side by side in its row.
#[derive(Clone)]
pub(crate) struct SelfAttention {
    width: usize,
    heads: usize,
    causal: bool,
    bias: Option<Arc<RelativeBias>>,
}

impl SelfAttention {
    /// `width` is that of all heads together; `causal`: a token sees only itself and the tokens before it.
    pub(crate) fn new(width: usize, heads: usize, causal: bool, bias: Option<Arc<RelativeBias>>) -> Self {
        SelfAttention { width, heads, causal, bias }
    }

    /// From tokens x 3 width to tokens x width.
    pub(crate) fn forward(&self, qkv: &Tensor, spans: &Spans) -> Result<Tensor> {
        let result = match qkv.device() {
            Device::Cpu => qkv.apply_op1_no_bwd(&Packed { attention: self, spans }),
            _ => self.padded(qkv, spans),
        };
        result.map_err(compute_error)
    }

    fn head_width(&self) -> usize {
        self.width / self.heads
    }

    fn scale(&self) -> f64 {
        1.0 / (self.head_width() as f64).sqrt()
    }

    /// With candle's operations, on any device: sequences are padded to the longest one here, and only here.
    pub(super) fn padded(&self, qkv: &Tensor, spans: &Spans) -> candle_core::Result<Tensor> {
        let device = qkv.device();
        let (batch, longest) = (spans.len(), spans.iter().map(|span| span.len()).max().unwrap_or(0));
        let padded: Vec<u32> = spans
            .iter()
            .flat_map(|span| (0..longest).map(move |at| if at < span.len() { (span.start + at) as u32 } else { 0 }))
            .collect();
        let packed: Vec<u32> = spans
            .iter()
            .enumerate()
            .flat_map(|(number, span)| (0..span.len()).map(move |at| (number * longest + at) as u32))
            .collect();
        let shape = (batch, longest, 3, self.heads, self.head_width());
        let qkv = qkv.index_select(&Tensor::new(padded, device)?, 0)?.reshape(shape)?.permute((2, 0, 3, 1, 4))?;
        let part = |i: usize| qkv.get(i)?.contiguous();
        let scores = (part(0)?.matmul(&part(1)?.transpose(2, 3)?.contiguous()?)? * self.scale())?;
        let scores = scores.broadcast_add(&self.mask(spans, longest, device)?)?;
        let scores = match &self.bias {
            Some(bias) => scores.broadcast_add(&bias_tensor(bias, longest, device)?)?,
            None => scores,
        };
        let probabilities = candle_nn::ops::softmax(&scores, D::Minus1)?;
        let mixed = probabilities.matmul(&part(2)?)?.transpose(1, 2)?.contiguous()?;
        mixed.reshape((batch * longest, self.width))?.index_select(&Tensor::new(packed, device)?, 0)
    }

    /// The mask: 0 where a token may look, and a large negative number elsewhere: batch x 1 x longest x longest.
    fn mask(&self, spans: &Spans, longest: usize, device: &Device) -> candle_core::Result<Tensor> {
        let causal = self.causal;
        let score = |seen: bool| if seen { 0.0 } else { -1e30_f32 };
        let mut mask = Vec::with_capacity(spans.len() * longest * longest);
        for span in spans.iter() {
            for query in 0..longest {
                mask.extend((0..longest).map(|key| score(key < span.len().max(1) && (!causal || key <= query))));
            }
        }
        Tensor::from_vec(mask, (spans.len(), 1, longest, longest), device)
    }

    /// One sequence: `qkv` and `out` are its rows.
    fn attend(&self, qkv: &[f32], out: &mut [f32]) {
        let (tokens, head_width, kernel) = (out.len() / self.width, self.head_width(), Kernel::get());
        let mut workspace = Workspace::new(kernel, tokens, head_width);
        for head in 0..self.heads {
            let start = |part: usize| part * self.width + head * head_width;
            let from = |part: usize| qkv.get(start(part)..).unwrap_or_default();
            workspace.pack_keys(from(1), 3 * self.width);
            kernel.pack_columns(from(2), 3 * self.width, tokens, head_width, workspace.values.as_mut_slice());
            for first in (0..tokens).step_by(kernel.rows()) {
                let rows = kernel.rows().min(tokens - first);
                let queries = from(0).get(first * 3 * self.width..).unwrap_or_default();
                workspace.score(queries, 3 * self.width, rows, self.scale() as f32);
                self.softmax(&mut workspace, head, first, rows);
                let out = out.get_mut(first * self.width + head * head_width..).unwrap_or_default();
                workspace.mix(out, self.width, rows);
            }
        }
    }

    /// Converts the scores of some queries to attention weights.
    fn softmax(&self, workspace: &mut Workspace, head: usize, first: usize, rows: usize) {
        let (tokens, stride) = (workspace.tokens, workspace.stride());
        for (row, scores) in workspace.scores.as_mut_slice().chunks_exact_mut(stride).take(rows).enumerate() {
            let query = first + row;
            let seen = if self.causal { query + 1 } else { tokens };
            let Some((seen, unseen)) = scores.split_at_mut_checked(seen) else { return };
            if let Some(bias) = &self.bias {
                elementwise::add(seen, bias.of_query(head, query));
            }
            elementwise::softmax(seen);
            unseen.fill(0.0);
        }
    }
}

fn bias_tensor(bias: &RelativeBias, longest: usize, device: &Device) -> candle_core::Result<Tensor> {
    let heads = bias.of_heads.len();
    let rows = (0..heads).flat_map(|head| (0..longest).map(move |query| (head, query)));
    let values: Vec<f32> =
        rows.flat_map(|(head, query)| bias.of_query(head, query).iter().take(longest).copied()).collect();
    Tensor::from_vec(values, (1, heads, longest, longest), device)
}

/// The buffers of one head: packed keys, values and queries, scores, and the attention weights.
struct Workspace {
    kernel: Kernel,
    tokens: usize,
    head_width: usize,
    keys: Aligned,
    values: Aligned,
    queries: Aligned,
    scores: Aligned,
    weights: Aligned,
    spare: Aligned,
}

impl Workspace {
    fn new(kernel: Kernel, tokens: usize, head_width: usize) -> Self {
        let sized = |len: usize| {
            let mut buffer = Aligned::default();
            buffer.resize(len);
            buffer
        };
        let key_panels = tokens.div_ceil(kernel.columns());
        let value_panels = head_width.div_ceil(kernel.columns());
        Workspace {
            kernel,
            tokens,
            head_width,
            keys: sized(key_panels * kernel.columns() * head_width),
            values: sized(value_panels * kernel.columns() * tokens),
            queries: sized(kernel.rows() * head_width),
            scores: sized(kernel.rows() * key_panels * kernel.columns()),
            weights: sized(kernel.rows() * tokens),
            spare: sized(kernel.rows() * kernel.columns()),
        }
    }

    /// The stride between rows of scores.
    fn stride(&self) -> usize {
        self.tokens.div_ceil(self.kernel.columns()) * self.kernel.columns()
    }

    /// Packs the keys as panels of columns: each key is a column.
    fn pack_keys(&mut self, keys: &[f32], stride: usize) {
        let (columns, head_width) = (self.kernel.columns(), self.head_width);
        let panels = self.keys.as_mut_slice().chunks_exact_mut(columns * head_width);
        for (panel, to) in panels.enumerate() {
            for lane in 0..columns.min(self.tokens.saturating_sub(panel * columns)) {
                let start = (panel * columns + lane) * stride;
                let key = keys.get(start..start + head_width).unwrap_or_default();
                to.iter_mut().skip(lane).step_by(columns).zip(key).for_each(|(to, from)| *to = *from);
            }
        }
    }

    /// Computes the scores of some queries with all keys.
    fn score(&mut self, queries: &[f32], stride: usize, rows: usize, scale: f32) {
        let (tile, columns) = (self.kernel.rows(), self.kernel.columns());
        self.kernel.pack_rows(queries, stride, rows, self.head_width, self.queries.as_mut_slice());
        self.queries.as_mut_slice().iter_mut().for_each(|x| *x *= scale);
        self.scores.as_mut_slice().fill(0.0);
        let width = self.stride();
        for (panel, keys) in self.keys.as_slice().chunks_exact(columns * self.head_width).enumerate() {
            let scores = self.scores.as_mut_slice().get_mut(panel * columns..).unwrap_or_default();
            let (queries, spare) = (self.queries.as_slice(), self.spare.as_mut_slice());
            self.kernel.add_product(self.head_width, queries, keys, scores, width, (tile, columns), spare);
        }
    }

    /// Adds the values, times their attention weights, to some rows `stride` apart.
    fn mix(&mut self, out: &mut [f32], stride: usize, rows: usize) {
        let (columns, width) = (self.kernel.columns(), self.stride());
        self.kernel.pack_rows(self.scores.as_slice(), width, rows, self.tokens, self.weights.as_mut_slice());
        for (panel, values) in self.values.as_slice().chunks_exact(columns * self.tokens).enumerate() {
            let first = panel * columns;
            let shape = (rows, columns.min(self.head_width.saturating_sub(first)));
            let out = out.get_mut(first..).unwrap_or_default();
            let (weights, spare) = (self.weights.as_slice(), self.spare.as_mut_slice());
            self.kernel.add_product(self.tokens, weights, values, out, stride, shape, spare);
        }
    }
}

struct Packed<'a> {
    attention: &'a SelfAttention,
    spans: &'a Spans,
}

impl CustomOp1 for Packed<'_> {
    fn name(&self) -> &'static str {
        "packed-attention"
    }

    fn cpu_fwd(&self, qkv: &CpuStorage, layout: &Layout) -> candle_core::Result<(CpuStorage, Shape)> {
        let (qkv, width) = (contiguous_values(qkv, layout)?, self.attention.width);
        let tokens = self.spans.tokens();
        if qkv.len() != tokens * 3 * width {
            return Err(candle_core::Error::Msg("expected queries, keys and values of every token".into()));
        }
        let mut out = vec![0.0; tokens * width];
        let mut rest = out.as_mut_slice();
        let mut sequences = Vec::with_capacity(self.spans.len());
        for span in self.spans.iter() {
            let (rows, after) = std::mem::take(&mut rest).split_at_mut(span.len() * width);
            sequences.push((span, rows));
            rest = after;
        }
        sequences.into_par_iter().for_each(|(span, out)| {
            self.attention.attend(&qkv[span.start * 3 * width..span.end * 3 * width], out);
        });
        Ok((CpuStorage::F32(out), Shape::from((tokens, width))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_packed_and_the_padded_form_agree() {
        let (width, heads) = (24, 3);
        for (lengths, causal) in [(vec![1, 5, 40, 33], false), (vec![17, 2, 65], true)] {
            let spans = Spans::of_lengths(lengths);
            let n = spans.tokens() * 3 * width;
            let values: Vec<f32> = (0..n).map(|i| ((i * 7919) % 997) as f32 / 250.0 - 2.0).collect();
            let qkv = Tensor::from_vec(values, (spans.tokens(), 3 * width), &Device::Cpu).unwrap();
            let bias =
                Arc::new(RelativeBias::new(heads, 80, |head, distance| (head as f32 - 1.0) * distance as f32 * 0.1));
            for bias in [None, Some(bias)] {
                let attention = SelfAttention::new(width, heads, causal, bias);
                let packed = attention.forward(&qkv, &spans).unwrap();
                let padded = attention.padded(&qkv, &spans).unwrap();
                let difference =
                    (packed - padded).unwrap().abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap();
                assert!(difference < 1e-5, "{difference}");
            }
        }
    }
}
