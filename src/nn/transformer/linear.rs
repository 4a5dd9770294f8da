//! `x Wᵀ + b`, with weights packed for the CPU that computes.

use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp1, CustomOp2, Device, Layout, Shape, Tensor};

use super::activation::Activation;
use super::contiguous_values;
use crate::error::Result;
use crate::linalg::elementwise;
use crate::linalg::matmul::PackedMatrix;
use crate::nn::model_folder::compute_error;
use crate::nn::weights::Weights;

/// The order in which a file stores a layer's weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WeightLayout {
    /// `outputs` rows of `inputs` values: PyTorch's `Linear`.
    OutputsByInputs,
    /// `inputs` rows of `outputs` values: the `Conv1D` of GPT-2.
    InputsByOutputs,
}

/// A layer of `inputs` x `outputs` weights. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Linear {
    form: Form,
    inputs: usize,
    outputs: usize,
}

#[derive(Clone)]
enum Form {
    /// Packed, on the CPU.
    Packed(Arc<Packed>),
    /// As tensors on another device: the weights of `inputs` x `outputs`, and the bias.
    Tensors(Tensor, Option<Tensor>),
}

struct Packed {
    weights: PackedMatrix,
    bias: Option<Vec<f32>>,
}

impl Linear {
    /// Reads `weight`, `outputs` rows of `inputs` values, and `bias` if the layer has one.
    pub(crate) fn load(weights: &Weights, inputs: usize, outputs: usize, bias: bool, device: &Device) -> Result<Self> {
        let bias = bias.then(|| weights.values("bias", &[outputs])).transpose()?;
        let values = weights.values("weight", &[outputs, inputs])?;
        Self::new(&values, WeightLayout::OutputsByInputs, bias, [inputs, outputs], device)
    }

    /// Several layers that are applied to the same rows, as one: their outputs are side by side. Each is a group of
    /// tensors and the width of its output.
    pub(crate) fn load_fused(parts: &[(Weights, usize)], inputs: usize, bias: bool, device: &Device) -> Result<Self> {
        let outputs = parts.iter().map(|(_, outputs)| outputs).sum();
        for (weights, outputs) in parts {
            weights.check("weight", &[*outputs, inputs])?;
        }
        let mut all = Vec::with_capacity(inputs * outputs);
        let mut biases = bias.then(Vec::new);
        for (weights, outputs) in parts {
            all.extend(weights.values("weight", &[*outputs, inputs])?);
            if let Some(biases) = &mut biases {
                biases.extend(weights.values("bias", &[*outputs])?);
            }
        }
        Self::new(&all, WeightLayout::OutputsByInputs, biases, [inputs, outputs], device)
    }

    /// From the values of the weights.
    pub(crate) fn new(
        weights: &[f32],
        layout: WeightLayout,
        bias: Option<Vec<f32>>,
        [inputs, outputs]: [usize; 2],
        device: &Device,
    ) -> Result<Self> {
        let form = match (device, layout) {
            (Device::Cpu, WeightLayout::OutputsByInputs) => {
                Form::packed(PackedMatrix::from_rows(weights, outputs, inputs), bias)?
            }
            (Device::Cpu, WeightLayout::InputsByOutputs) => {
                Form::packed(PackedMatrix::from_columns(weights, inputs, outputs), bias)?
            }
            _ => Form::tensors(weights, layout, bias, [inputs, outputs], device).map_err(compute_error)?,
        };
        Ok(Linear { form, inputs, outputs })
    }

    /// The width of the input.
    pub(crate) fn inputs(&self) -> usize {
        self.inputs
    }

    /// The width of the output.
    pub(crate) fn outputs(&self) -> usize {
        self.outputs
    }

    /// The activation of the product with each row of `x`, n x inputs; returns n x outputs.
    pub(crate) fn forward(&self, x: &Tensor, activation: Activation) -> Result<Tensor> {
        match &self.form {
            Form::Packed(packed) => x.apply_op1_no_bwd(&Product { packed, activation }).map_err(compute_error),
            Form::Tensors(weights, bias) => {
                product(x, weights, bias.as_ref()).and_then(|x| activation.apply_to_tensor(&x)).map_err(compute_error)
            }
        }
    }

    /// `onto`, n x outputs, plus the product with each row of `x`, n x inputs.
    pub(crate) fn forward_onto(&self, x: &Tensor, onto: &Tensor) -> Result<Tensor> {
        match &self.form {
            Form::Packed(packed) => x.apply_op2_no_bwd(onto, &Sum { packed }).map_err(compute_error),
            Form::Tensors(weights, bias) => {
                product(x, weights, bias.as_ref()).and_then(|product| onto + product).map_err(compute_error)
            }
        }
    }

    /// The weights of some outputs, n x inputs: a token table that is also the last layer is stored once.
    pub(crate) fn weights_of(&self, outputs: &[u32]) -> Result<Tensor> {
        match &self.form {
            Form::Packed(packed) => {
                let mut rows = vec![0.0; outputs.len() * self.inputs];
                for (row, output) in rows.chunks_exact_mut(self.inputs).zip(outputs) {
                    packed.weights.weights_of(*output as usize, row);
                }
                Tensor::from_vec(rows, (outputs.len(), self.inputs), &Device::Cpu).map_err(compute_error)
            }
            Form::Tensors(weights, _) => Tensor::new(outputs, weights.device())
                .and_then(|outputs| weights.t()?.contiguous()?.index_select(&outputs, 0))
                .map_err(compute_error),
        }
    }
}

impl Form {
    fn packed(weights: Option<PackedMatrix>, bias: Option<Vec<f32>>) -> Result<Self> {
        let mismatch = || {
            compute_error(candle_core::Error::Msg("the number of a layer's weights does not match its sizes".into()))
        };
        let weights = weights.ok_or_else(mismatch)?;
        if bias.as_ref().is_some_and(|bias| bias.len() != weights.outputs()) {
            return Err(mismatch());
        }
        Ok(Form::Packed(Arc::new(Packed { weights, bias })))
    }

    fn tensors(
        weights: &[f32],
        layout: WeightLayout,
        bias: Option<Vec<f32>>,
        [inputs, outputs]: [usize; 2],
        device: &Device,
    ) -> candle_core::Result<Self> {
        let weights = match layout {
            WeightLayout::OutputsByInputs => {
                Tensor::from_slice(weights, (outputs, inputs), device)?.t()?.contiguous()?
            }
            WeightLayout::InputsByOutputs => Tensor::from_slice(weights, (inputs, outputs), device)?,
        };
        let bias = bias.map(|bias| Tensor::new(bias, device)).transpose()?;
        Ok(Form::Tensors(weights, bias))
    }
}

fn product(x: &Tensor, weights: &Tensor, bias: Option<&Tensor>) -> candle_core::Result<Tensor> {
    let product = x.matmul(weights)?;
    match bias {
        Some(bias) => product.broadcast_add(bias),
        None => Ok(product),
    }
}

impl Packed {
    /// Checks the width of `x` and how many rows it has.
    fn rows(&self, x: &[f32], layout: &Layout) -> candle_core::Result<usize> {
        let inputs = self.weights.inputs();
        match layout.dims().last() {
            Some(width) if *width == inputs => Ok(x.len() / inputs),
            _ => Err(candle_core::Error::Msg(format!("expected rows of {inputs} values: {:?}", layout.dims()))),
        }
    }

    fn shape(&self, layout: &Layout) -> Shape {
        let mut dims = layout.dims().to_vec();
        if let Some(width) = dims.last_mut() {
            *width = self.weights.outputs();
        }
        Shape::from(dims)
    }
}

struct Product<'a> {
    packed: &'a Packed,
    activation: Activation,
}

impl CustomOp1 for Product<'_> {
    fn name(&self) -> &'static str {
        "packed-product"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> candle_core::Result<(CpuStorage, Shape)> {
        let x = contiguous_values(x, layout)?;
        let rows = self.packed.rows(x, layout)?;
        let outputs = self.packed.weights.outputs();
        let mut out = match &self.packed.bias {
            Some(bias) => bias.repeat(rows),
            None => vec![0.0; rows * outputs],
        };
        let activation = self.activation;
        self.packed.weights.add_product(x, &mut out, &|part| activation.apply(part));
        Ok((CpuStorage::F32(out), self.packed.shape(layout)))
    }
}

struct Sum<'a> {
    packed: &'a Packed,
}

impl CustomOp2 for Sum<'_> {
    fn name(&self) -> &'static str {
        "packed-product-onto"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        layout: &Layout,
        onto: &CpuStorage,
        onto_layout: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        let x = contiguous_values(x, layout)?;
        let rows = self.packed.rows(x, layout)?;
        let mut out = contiguous_values(onto, onto_layout)?.to_vec();
        let outputs = self.packed.weights.outputs();
        if out.len() != rows * outputs {
            return Err(candle_core::Error::Msg("the sum and the product differ in rows".into()));
        }
        if let Some(bias) = &self.packed.bias {
            out.chunks_exact_mut(outputs).for_each(|row| elementwise::add(row, bias));
        }
        self.packed.weights.add_product(x, &mut out, &|_| {});
        Ok((CpuStorage::F32(out), self.packed.shape(layout)))
    }
}
