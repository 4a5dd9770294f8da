//! Layer normalization (Ba et al. 2016).

use candle_core::{CpuStorage, CustomOp1, Device, Layout, Shape, Tensor};

use super::contiguous_values;
use crate::error::Result;
use crate::linalg::elementwise;
use crate::nn::model_folder::compute_error;
use crate::nn::weights::Weights;

/// Normalizes each row to mean 0 and variance 1, then applies a learned weight and bias to each value.
#[derive(Clone)]
pub(crate) struct LayerNorm {
    weight: Vec<f32>,
    bias: Vec<f32>,
    epsilon: f32,
    on_device: Option<(Tensor, Tensor)>,
}

impl LayerNorm {
    /// Reads `weight` and `bias`, or `gamma` and `beta` as the oldest files call them.
    pub(crate) fn load(weights: &Weights, width: usize, epsilon: f64, device: &Device) -> Result<Self> {
        let (weight, bias) = if weights.has("gamma") { ("gamma", "beta") } else { ("weight", "bias") };
        let (weight, bias) = (weights.values(weight, &[width])?, weights.values(bias, &[width])?);
        let to_device = |values: &[f32]| Tensor::new(values, device).map_err(compute_error);
        let on_device = match device {
            Device::Cpu => None,
            _ => Some((to_device(&weight)?, to_device(&bias)?)),
        };
        Ok(LayerNorm { weight, bias, epsilon: epsilon as f32, on_device })
    }

    /// Normalizes each row of `x`, n x width.
    pub(crate) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        match &self.on_device {
            None => x.apply_op1_no_bwd(self).map_err(compute_error),
            Some((weight, bias)) => {
                let normalized =
                    x.contiguous().and_then(|x| candle_nn::ops::layer_norm(&x, weight, bias, self.epsilon));
                normalized.map_err(compute_error)
            }
        }
    }
}

impl CustomOp1 for LayerNorm {
    fn name(&self) -> &'static str {
        "wide-layer-norm"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> candle_core::Result<(CpuStorage, Shape)> {
        let mut out = contiguous_values(x, layout)?.to_vec();
        if layout.dims().last() != Some(&self.weight.len()) {
            return Err(candle_core::Error::Msg(format!("expected rows of {} values", self.weight.len())));
        }
        elementwise::layer_norm(&mut out, &self.weight, &self.bias, self.epsilon);
        Ok((CpuStorage::F32(out), layout.shape().clone()))
    }
}
