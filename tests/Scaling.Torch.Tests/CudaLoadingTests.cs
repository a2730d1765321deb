// How `device: cuda` finds libtorch and a GPU, and what it says where there is none. Nothing here needs either.
using System.Diagnostics;
using Scaling.TestKit;

namespace Scaling.Torch.Tests;

public sealed class CudaLoadingTests : IDisposable
{
    private const string Native = "runtimes/linux-x64/native";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Packages_for_processors_are_told_from_those_for_CUDA_without_loading_any()
    {
        var failure = Assert.Throws<UnusableInputException>(() => NativeLibtorch.DemandCuda(Libtorch.Folders));

        Assert.Equal("SCAL8206", failure.Code);
        Assert.Contains($"libtorch_cuda.so is in {Native} of none of its native packages ({string.Join(", ", Libtorch.Folders)})", failure.Message);
        Assert.Contains("native.json beside the plugin to name TorchSharp-cuda-linux", failure.Hint);
        NativeLibtorch.DemandDevice(ComputeDevice.Cpu);
    }

    [Fact]
    public void Without_NVIDIAs_driver_what_was_looked_for_is_told()
    {
        var failure = Assert.Throws<UnusableInputException>(() => CudaDevice.First("libcuda-of-nobody.so.1"));

        Assert.Equal("SCAL8207", failure.Code);
        Assert.StartsWith("device: cuda, and no CUDA device was found: libcuda-of-nobody.so.1, the library of NVIDIA's driver, does not load; /proc/driver/nvidia/gpus lists ", failure.Message);
        Assert.Contains("nvidia-smi", failure.Hint);
    }

    [Fact]
    public void Packages_in_parts_become_one_folder_in_which_CUDAs_libraries_stand_and_not_those_for_processors()
    {
        string[] packages =
        [
            Package("libtorch-cpu-linux-x64", "libtorch.so", "libtorch_cpu.so", "libc10.so", "libgomp.so.1"),
            Package("libtorch-cuda-part1", "libtorch.so", "libc10.so", "libc10_cuda.so", "libcudart.so.12"),
            Package("libtorch-cuda-part2", "libtorch_cpu.so"),
            Package("libtorch-cuda-part3", "libtorch_cuda.so"),
            Package("torchsharp", "libLibTorchSharp.so"),
            _folder["without natives"],
        ];

        Assert.False(LibtorchFolder.HoldsCuda(packages[..3]));
        Assert.True(LibtorchFolder.HoldsCuda(packages));
        string folder = LibtorchFolder.OfCuda(packages, _folder["cache"]);

        Assert.Equal(
            ["libLibTorchSharp.so", "libc10.so", "libc10_cuda.so", "libcudart.so.12", "libtorch.so", "libtorch_cpu.so", "libtorch_cuda.so"],
            Directory.EnumerateFiles(folder).Select(f => Path.GetFileName(f)!).Order(StringComparer.Ordinal));
        Assert.Equal("libtorch-cuda-part1/libtorch.so", File.ReadAllText(Path.Combine(folder, "libtorch.so")));
        Assert.Equal("libtorch-cuda-part2/libtorch_cpu.so", File.ReadAllText(Path.Combine(folder, "libtorch_cpu.so")));
        Assert.Equal(folder, LibtorchFolder.OfCuda(packages, _folder["cache"]));
        Assert.NotEqual(folder, LibtorchFolder.OfCuda(packages[..4], _folder["cache"]));
        Assert.Equal(2, Directory.GetDirectories(_folder["cache/native"]).Length);
    }

    [Fact]
    public void Libraries_of_several_packages_find_each_other_through_that_folder()
    {
        string real = Path.Combine(Libtorch.Folders.Single(f => File.Exists(Path.Combine(f, Native, "libtorch.so"))), Native);
        string[] names = [.. Directory.EnumerateFiles(real, "*.so*").Select(f => Path.GetFileName(f)!)];
        string[] packages = [.. names.Select((name, i) => Package($"part{i}", name == "libtorch.so" ? ["libc10_cuda.so"] : []))];
        foreach (var (package, name) in packages.Zip(names))
        {
            File.CreateSymbolicLink(Path.Combine(package, Native, name), Path.Combine(real, name));
        }

        string alone = Path.Combine(packages[Array.IndexOf(names, "libtorch_cpu.so")], Native, "libtorch_cpu.so");
        string together = Path.Combine(LibtorchFolder.OfCuda(packages, _folder["cache"]), "libtorch_cpu.so");

        Assert.Contains("libc10.so => not found", Ldd(alone));
        Assert.DoesNotContain("not found", Ldd(together));
    }

    [CompilerFact]
    public void The_driver_tells_the_GPUs_name_its_capability_and_its_memory_in_use()
    {
        var device = CudaDevice.First(Driver("-DMAJOR=9"));

        Assert.Equal(("NVIDIA H100 80GB HBM3", new Version(9, 0)), (device.Name, device.Capability));
        Assert.Equal(85_000_000_000 - 80_000_000_000, device.MemoryInUse());
    }

    [CompilerFact]
    public void A_driver_without_a_GPU_and_a_GPU_without_bfloat16_are_told()
    {
        var none = Assert.Throws<UnusableInputException>(() => CudaDevice.First(Driver("-DMAJOR=9", "-DNONE")));
        var old = Assert.Throws<UnusableInputException>(() => CudaDevice.First(Driver("-DMAJOR=7")));

        Assert.Equal("SCAL8207", none.Code);
        Assert.Contains("cuInit of the driver says CUDA_ERROR_NO_DEVICE (100)", none.Message);
        Assert.Equal("SCAL8208", old.Code);
        Assert.Contains("compute capability 7.0", old.Message);
    }

    /// <summary>A package whose libraries are texts that name themselves.</summary>
    private string Package(string name, params string[] libraries)
    {
        foreach (string library in libraries)
        {
            _folder.Write($"{name}/{Native}/{library}", $"{name}/{library}");
        }

        return Directory.CreateDirectory(Path.Combine(_folder[name], Native)).Parent!.Parent!.Parent!.FullName;
    }

    /// <summary>A library with the functions of NVIDIA's driver, as its header cuda.h declares them, and one GPU.</summary>
    private string Driver(params string[] options)
    {
        string source = _folder.Write("driver.c", """
            #include <stddef.h>
            #include <string.h>
            static int depth;
            #ifdef NONE
            int cuInit(unsigned flags) { return 100; }
            #else
            int cuInit(unsigned flags) { return flags; }
            #endif
            int cuGetErrorName(int error, const char **name) { *name = error == 100 ? "CUDA_ERROR_NO_DEVICE" : NULL; return 0; }
            int cuDeviceGetCount(int *count) { *count = 1; return 0; }
            int cuDeviceGet(int *device, int ordinal) { *device = 7 + ordinal; return 0; }
            int cuDeviceGetName(char *name, int length, int device) { strncpy(name, "NVIDIA H100 80GB HBM3", length); return device == 7 ? 0 : 101; }
            int cuDeviceGetAttribute(int *value, int attribute, int device) { *value = attribute == 75 ? MAJOR : attribute == 76 ? 0 : -1; return device == 7 ? 0 : 101; }
            int cuDevicePrimaryCtxRetain(void **context, int device) { *context = &depth; return device == 7 ? 0 : 101; }
            int cuCtxPushCurrent_v2(void *context) { depth++; return context == &depth ? 0 : 201; }
            int cuMemGetInfo_v2(size_t *unused, size_t *total) { *unused = 80000000000; *total = 85000000000; return depth == 1 ? 0 : 201; }
            int cuCtxPopCurrent_v2(void **context) { depth--; *context = &depth; return 0; }
            int cuDevicePrimaryCtxRelease_v2(int device) { return depth == 0 ? 0 : 1; }

            """);
        string library = _folder[$"libcuda{string.Concat(options)}.so.1"];
        Output("cc", ["-shared", "-fPIC", .. options, "-o", library, source]);
        return library;
    }

    private static string Ldd(string library) => Output("ldd", [library]);

    private static string Output(string program, string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return output;
    }
}

/// <summary>A fact that compiles a library; skipped where no C compiler is installed.</summary>
internal sealed class CompilerFactAttribute : FactAttribute
{
    public CompilerFactAttribute()
    {
        if (!(Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(folder => File.Exists(Path.Combine(folder, "cc"))))
        {
            Skip = "no C compiler (cc) is on the PATH";
        }
    }
}
