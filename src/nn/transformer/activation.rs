//! Activation functions of feed-forward layers.

use candle_core::Tensor;

use crate::linalg::elementwise;

/// An activation function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Activation {
    None,
    /// With the error function.
    Gelu,
    /// With the hyperbolic tangent.
    GeluTanh,
    /// With the logistic function, as in CLIP.
    QuickGelu,
    Relu,
    Silu,
    Tanh,
    Sigmoid,
}

impl Activation {
    /// Looks up the name in a model's configuration (`hidden_act`, `activation_function`); `None` if it is unknown.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "gelu" | "gelu_python" => Activation::Gelu,
            "gelu_new" | "gelu_fast" | "gelu_pytorch_tanh" | "gelu_accurate" | "gelu_tanh" => Activation::GeluTanh,
            "quick_gelu" => Activation::QuickGelu,
            "relu" => Activation::Relu,
            "silu" | "swish" => Activation::Silu,
            "tanh" => Activation::Tanh,
            "sigmoid" => Activation::Sigmoid,
            "linear" | "identity" => Activation::None,
            _ => return None,
        })
    }

    /// Applies the function in place.
    pub(super) fn apply(self, values: &mut [f32]) {
        match self {
            Activation::None => {}
            Activation::Gelu => elementwise::gelu(values),
            Activation::GeluTanh => elementwise::gelu_tanh(values),
            Activation::QuickGelu => elementwise::quick_gelu(values),
            Activation::Relu => values.iter_mut().for_each(|x| *x = x.max(0.0)),
            Activation::Silu => elementwise::silu(values),
            Activation::Tanh => elementwise::tanh(values),
            Activation::Sigmoid => values.iter_mut().for_each(|x| *x = 1.0 / (1.0 + (-*x).exp())),
        }
    }

    /// The same with candle's operations, on any device.
    pub(super) fn apply_to_tensor(self, x: &Tensor) -> candle_core::Result<Tensor> {
        match self {
            Activation::None => Ok(x.clone()),
            Activation::Gelu => x.gelu_erf(),
            Activation::GeluTanh => x.gelu(),
            Activation::QuickGelu => x * candle_nn::ops::sigmoid(&(x * 1.702)?)?,
            Activation::Relu => x.relu(),
            Activation::Silu => x.silu(),
            Activation::Tanh => x.tanh(),
            Activation::Sigmoid => candle_nn::ops::sigmoid(x),
        }
    }
}
