// Devices by the names that NVIDIA's driver gives them.
namespace Scaling.Architectures.Tests;

public class DeviceTests
{
    [Theory]
    [InlineData("NVIDIA A100-SXM4-40GB", "a100-40")]
    [InlineData("NVIDIA A100-PCIE-40GB", null)] // no NVLink between all
    [InlineData("NVIDIA A100-SXM4-80GB", "a100-80")]
    [InlineData("NVIDIA H100 80GB HBM3", "h100-sxm")]
    [InlineData("NVIDIA H200", "h200")]
    [InlineData("NVIDIA H100 PCIe", null)] // 756 TFLOP/s
    [InlineData("NVIDIA H100 80GB HBM3 MIG 3g.40gb", null)] // a part of it
    [InlineData("NVIDIA GeForce RTX 4090", null)]
    public void A_GPU_is_known_by_its_drivers_name_and_its_slower_kin_are_not_taken_for_it(string driverName, string? name) =>
        Assert.Equal(name, Device.CalledByDriver(driverName)?.Name);
}
