// NVIDIA's driver: which GPU there is, and how much of its memory is in use. TorchSharp tells neither.
using System.Runtime.InteropServices;
using System.Text;

namespace Scaling.Torch;

/// <summary>The first GPU that the process sees, by the driver's own interface (CUDA Driver API).</summary>
public sealed unsafe class CudaDevice
{
    /// <summary>The library that comes with the driver.</summary>
    public const string Library = "libcuda.so.1";

    private const string Where = "/proc/driver/nvidia/gpus";
    private const int CapabilityMajor = 75; // CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR
    private const int CapabilityMinor = 76;
    private const int OldestMajor = 8; // Ampere: the first with bfloat16 in its matrix units
    private const int NoDevice = 100; // CUDA_ERROR_NO_DEVICE

    private readonly nint _library;
    private readonly int _device;

    private CudaDevice(nint library)
    {
        _library = library;
        Demand("cuInit", ((delegate* unmanaged<uint, int>)Function("cuInit"))(0));
        int count, device = 0, major, minor;
        Demand("cuDeviceGetCount", ((delegate* unmanaged<int*, int>)Function("cuDeviceGetCount"))(&count));
        Demand("cuDeviceGet", count == 0 ? NoDevice : ((delegate* unmanaged<int*, int, int>)Function("cuDeviceGet"))(&device, 0));
        _device = device;
        byte* name = stackalloc byte[256];
        Demand("cuDeviceGetName", ((delegate* unmanaged<byte*, int, int, int>)Function("cuDeviceGetName"))(name, 256, _device));
        var attribute = (delegate* unmanaged<int*, int, int, int>)Function("cuDeviceGetAttribute");
        Demand("cuDeviceGetAttribute", attribute(&major, CapabilityMajor, _device));
        Demand("cuDeviceGetAttribute", attribute(&minor, CapabilityMinor, _device));
        Name = Marshal.PtrToStringUTF8((nint)name)!;
        Capability = new Version(major, minor);
    }

    /// <summary>As the driver calls it, for example <c>NVIDIA A100-SXM4-80GB</c>.</summary>
    public string Name { get; }

    /// <summary>Compute capability, for example 9.0.</summary>
    public Version Capability { get; }

    /// <summary>Bytes of the GPU's memory that are in use, by this process and all others; null where the driver does not say.</summary>
    public long? MemoryInUse() => Memory() is { } memory ? memory.Total - memory.Free : null;

    /// <summary>Bytes of the GPU's memory that nobody uses, and all; null where the driver does not say.</summary>
    public (long Free, long Total)? Memory()
    {
        nint context;
        nuint free = 0, total = 0;
        // The primary context is the one that libtorch works in.
        if (((delegate* unmanaged<nint*, int, int>)Function("cuDevicePrimaryCtxRetain"))(&context, _device) != 0)
        {
            return null;
        }

        bool told = ((delegate* unmanaged<nint, int>)Function("cuCtxPushCurrent_v2"))(context) == 0;
        if (told)
        {
            told = ((delegate* unmanaged<nuint*, nuint*, int>)Function("cuMemGetInfo_v2"))(&free, &total) == 0;
            _ = ((delegate* unmanaged<nint*, int>)Function("cuCtxPopCurrent_v2"))(&context);
        }

        _ = ((delegate* unmanaged<int, int>)Function("cuDevicePrimaryCtxRelease_v2"))(_device);
        return told ? ((long)free, (long)total) : null;
    }

    /// <summary>Finds the GPU, in milliseconds.</summary>
    /// <param name="library">The driver's library.</param>
    /// <exception cref="UnusableInputException">SCAL8207: there is none; SCAL8208: it has no bfloat16.</exception>
    public static CudaDevice First(string library = Library)
    {
        var device = NativeLibrary.TryLoad(library, out nint handle)
            ? new CudaDevice(handle)
            : throw Missing($"{library}, the library of NVIDIA's driver, does not load");
        return device.Capability.Major >= OldestMajor
            ? device
            : throw new UnusableInputException(
                "SCAL8208", $"device: cuda computes in bfloat16, and {device.Name} (compute capability {device.Capability}) has none; it begins with {OldestMajor}.0 (A100, RTX 30).",
                "Take a newer GPU, or write 'device: cpu'.");
    }

    /// <summary>No GPU can be used.</summary>
    /// <param name="found">What was found instead.</param>
    internal static UnusableInputException Missing(string found)
    {
        var looked = new StringBuilder($"device: cuda, and no CUDA device was found: {found}");
        string[] gpus = Directory.Exists(Where) ? [.. Directory.EnumerateDirectories(Where)] : [];
        looked.Append(gpus.Length == 0 ? $"; {Where} lists no GPU" : $"; {Where} lists {gpus.Length}");
        if (Environment.GetEnvironmentVariable("CUDA_VISIBLE_DEVICES") is { } visible)
        {
            looked.Append($"; CUDA_VISIBLE_DEVICES is '{visible}'");
        }

        return new UnusableInputException(
            "SCAL8207", looked.Append('.').ToString(),
            "See whether 'nvidia-smi' lists a GPU where the workers run (a container must be started with it, as by 'docker run --gpus all'; a Slurm job asks by '--gres=gpu:1'), or write 'device: cpu'.");
    }

    private void Demand(string call, int result)
    {
        if (result != 0)
        {
            byte* name = null;
            _ = ((delegate* unmanaged<int, byte**, int>)Function("cuGetErrorName"))(result, &name);
            throw Missing($"{call} of the driver says {(name == null ? "error" : Marshal.PtrToStringUTF8((nint)name))} ({result})");
        }
    }

    private nint Function(string name) =>
        NativeLibrary.TryGetExport(_library, name, out nint function) ? function : throw Missing($"the driver's library has no {name}");
}
