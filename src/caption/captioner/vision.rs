//! The image encoders: ViT (Dosovitskiy et al. 2021), and BLIP's, which is a ViT with different tensor names.

use crate::nn::transformer::LayerNames;
use crate::nn::vision_transformer::{EmbeddingSum, VisionLayout};
use crate::nn::weights::Weights;

const VIT: VisionLayout = VisionLayout {
    class_embedding: Some("cls_token"),
    position_embedding: "position_embeddings",
    patch_embedding: "patch_embeddings.projection",
    batched: true,
    patch_bias: true,
    sum: EmbeddingSum::PositionLast,
    pre_norm: None,
    layers: "encoder.layer",
    layer: LayerNames {
        query: "attention.attention.query",
        key: "attention.attention.key",
        value: "attention.attention.value",
        attention_out: "attention.output.dense",
        attention_norm: "layernorm_before",
        up: "intermediate.dense",
        down: "output.dense",
        feed_forward_norm: "layernorm_after",
    },
    post_norm: "layernorm",
};

/// The names that transformers 5 uses in memory, and in files written by `torch.save`.
const VIT_5: VisionLayout = VisionLayout {
    layers: "layers",
    layer: LayerNames {
        query: "attention.q_proj",
        key: "attention.k_proj",
        value: "attention.v_proj",
        attention_out: "attention.o_proj",
        attention_norm: "layernorm_before",
        up: "mlp.fc1",
        down: "mlp.fc2",
        feed_forward_norm: "layernorm_after",
    },
    ..VIT
};

/// BLIP's.
pub(super) const BLIP: VisionLayout = VisionLayout {
    class_embedding: Some("class_embedding"),
    position_embedding: "position_embedding",
    patch_embedding: "patch_embedding",
    layers: "encoder.layers",
    layer: LayerNames {
        query: "self_attn.qkv",
        key: "self_attn.qkv",
        value: "self_attn.qkv",
        attention_out: "self_attn.projection",
        attention_norm: "layer_norm1",
        up: "mlp.fc1",
        down: "mlp.fc2",
        feed_forward_norm: "layer_norm2",
    },
    post_norm: "post_layernorm",
    ..VIT
};

/// That of a ViT with these weights.
pub(super) fn vit(weights: &Weights) -> &'static VisionLayout {
    if weights.has_group(VIT_5.layers) { &VIT_5 } else { &VIT }
}
