//! The device that the tests of models run on.

use topicframe::embed::Device;

/// The CPU, or what `TOPICFRAME_TEST_DEVICE` names: with `cuda`, tests compare an NVIDIA GPU with the Python libraries.
/// Tests that compare bits fail there, since the last ones depend on the batch.
pub fn test_device() -> Device {
    std::env::var("TOPICFRAME_TEST_DEVICE").map_or(Device::Cpu, |name| name.parse().unwrap())
}
