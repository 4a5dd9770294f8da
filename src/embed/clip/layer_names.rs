//! The tensor names of a layer, the same in both towers.

use crate::nn::transformer::LayerNames;

pub(super) const LAYER: LayerNames = LayerNames {
    query: "self_attn.q_proj",
    key: "self_attn.k_proj",
    value: "self_attn.v_proj",
    attention_out: "self_attn.out_proj",
    attention_norm: "layer_norm1",
    up: "mlp.fc1",
    down: "mlp.fc2",
    feed_forward_norm: "layer_norm2",
};
