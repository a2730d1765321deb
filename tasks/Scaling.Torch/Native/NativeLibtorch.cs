// Loads libtorch and TorchSharp's native half from where their packages lie, once a process.
using System.Runtime.InteropServices;
using System.Runtime.Loader;
using System.Security.Cryptography;
using TorchSharp;

namespace Scaling.Torch;

/// <summary>
/// Loads libtorch by absolute path before TorchSharp looks for it. Only one libtorch may live in a process (two copies abort), so the first call
/// decides and later ones return at once.
/// </summary>
public static partial class NativeLibtorch
{
    /// <summary>The environment variable that, set to <c>0</c>, forbids the lowered copy of libLibTorchSharp.so.</summary>
    public const string FixSwitch = "SCALING_NATIVE_FIX";

    /// <summary>The symbol by which a libstdc++ shows that it provides GLIBCXX_3.4.32.</summary>
    private const string MarkerOfGcc13 = "_ZSt21ios_base_library_initv";

    private static readonly Lock Gate = new();
    private static bool _loaded;

    /// <summary>Loads the libraries and keeps libtorch to one thread: several one-thread processes beat one process of several threads for small models.</summary>
    /// <param name="nativeFolders">Folders of the packages TorchSharp and libtorch-cpu-linux-x64, or the parts of libtorch-cuda-12.8-linux-x64. Where CUDA's are among them, they serve a processor too.</param>
    /// <param name="cacheFolder">Where a lowered copy of libLibTorchSharp.so may be kept, see <see cref="LoweredLibrary"/>, and a libtorch in parts is put together, see <see cref="LibtorchFolder"/>.</param>
    /// <param name="say">Takes one sentence when such a copy is made; it is made once a cache folder.</param>
    /// <param name="device">Where the caller will compute.</param>
    /// <param name="progress">Takes news while a libtorch in parts is put together, once a cache folder; null for nobody.</param>
    /// <param name="stop">Stops putting it together.</param>
    /// <exception cref="UnusableInputException">
    /// SCAL8201 to SCAL8204: the libraries are missing, do not load, or need a newer libstdc++; SCAL8206 to SCAL8208: of <see cref="DemandDevice"/> and <see cref="DemandCuda"/>; SCAL8210 to SCAL8213: of
    /// <see cref="LibtorchFolder"/>.
    /// </exception>
    public static void Load(
        IReadOnlyList<string> nativeFolders, string cacheFolder, Action<string> say, ComputeDevice device = ComputeDevice.Cpu, Action<StitchProgress>? progress = null, CancellationToken stop = default)
    {
        DemandDevice(device);
        if (device == ComputeDevice.Cuda)
        {
            DemandCuda(nativeFolders);
        }

        lock (Gate)
        {
            LoadOnce(nativeFolders, cacheFolder, say, progress, stop);
        }

        if (device == ComputeDevice.Cuda && !torch.cuda.is_available())
        {
            throw CudaDevice.Missing("libtorch sees none, though the driver does; it is built for CUDA 12.8, which wants driver 525 or later");
        }
    }

    /// <summary>Sees, without libtorch, whether this machine has the device; a processor it always has.</summary>
    /// <param name="device">Where the caller will compute.</param>
    /// <exception cref="UnusableInputException">SCAL8207: there is no GPU; SCAL8208: it is too old.</exception>
    public static void DemandDevice(ComputeDevice device)
    {
        if (device == ComputeDevice.Cuda)
        {
            CudaDevice.First();
        }
    }

    /// <summary>Sees, without loading any, whether libtorch for CUDA is among the packages.</summary>
    /// <param name="nativeFolders">As for <see cref="Load"/>.</param>
    /// <exception cref="UnusableInputException">SCAL8206: it is not.</exception>
    internal static void DemandCuda(IReadOnlyList<string> nativeFolders)
    {
        if (!LibtorchFolder.HoldsCuda(nativeFolders))
        {
            throw new UnusableInputException(
                "SCAL8206",
                $"device: cuda, and libtorch for CUDA did not come with the stage: {LibtorchFolder.CudaLibrary} is in {LibtorchFolder.InPackage} of none of its native packages ({Listed(nativeFolders)}).",
                "Expected native.json beside the plugin to name TorchSharp-cuda-linux of TorchSharp's version for 'device: cuda'; the tool then fetches it with all parts of libtorch-cuda-12.8-linux-x64. Build or install the plugin anew, or write 'device: cpu'.");
        }
    }

    private static void LoadOnce(IReadOnlyList<string> nativeFolders, string cacheFolder, Action<string> say, Action<StitchProgress>? progress, CancellationToken stop)
    {
        if (!_loaded)
        {
            // TorchScript runs what is written. Else it compiles kernels for a GPU after its first calls, which round otherwise: a run that went on from a checkpoint would differ.
            _ = SetEnvironment("PYTORCH_TENSOREXPR", "0", overwrite: 0);
            string torchSharp = Find(nativeFolders, "libLibTorchSharp.so");
            if (LibtorchFolder.HoldsCuda(nativeFolders))
            {
                string folder = LibtorchFolder.OfCuda(nativeFolders, cacheFolder, progress, stop);
                LoadByPath(Path.Combine(folder, "libtorch.so"));
                LoadByPath(Path.Combine(folder, LibtorchFolder.CudaLibrary)); // which registers itself, though libtorch.so may not ask for it
            }
            else
            {
                LoadByPath(Find(nativeFolders, "libtorch.so"));
            }

            nint handle = LoadByPath(ProvidesGcc13Marker() ? torchSharp : LoweredCopy(torchSharp, cacheFolder, say));
            ResolveTorchSharpTo(handle);
            torch.set_num_threads(1);
            torch.set_num_interop_threads(1);
            _loaded = true;
        }
    }

    /// <summary>Gives operations that many threads until disposal, then one again.</summary>
    /// <param name="count">At least 1.</param>
    public static IDisposable Threads(int count)
    {
        torch.set_num_threads(count);
        return new OneThreadAgain();
    }

    /// <summary>What native code reads; .NET's own variables stay with .NET.</summary>
    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvironment(string name, string value, int overwrite);

    private sealed class OneThreadAgain : IDisposable
    {
        public void Dispose() => torch.set_num_threads(1);
    }

    private static string Find(IReadOnlyList<string> folders, string file)
    {
        foreach (string folder in folders)
        {
            string path = Path.Combine(folder, LibtorchFolder.InPackage, file);
            if (File.Exists(path))
            {
                return Path.GetFullPath(path);
            }
        }

        throw new UnusableInputException(
            "SCAL8201",
            $"{file} is in none of the native packages' folders ({Listed(folders)}).",
            "Expected the packages TorchSharp and libtorch-cpu-linux-x64 there, as native.json beside the plugin names them (linux-x64 alone is supported). Remove those folders from NuGet's packages folder, so that they are fetched anew, and run again.");
    }

    private static string Listed(IReadOnlyList<string> folders) => folders.Count == 0 ? "none given" : string.Join(", ", folders);

    private static nint LoadByPath(string path)
    {
        try
        {
            return NativeLibrary.Load(path);
        }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException)
        {
            throw new UnusableInputException("SCAL8202", $"{path} does not load: {e.Message.ReplaceLineEndings(" ")}", "Run 'ldd' on that file to see what it misses.");
        }
    }

    private static bool ProvidesGcc13Marker() =>
        NativeLibrary.TryLoad("libstdc++.so.6", out nint handle) && NativeLibrary.TryGetExport(handle, MarkerOfGcc13, out _);

    private static string LoweredCopy(string original, string cacheFolder, Action<string> say)
    {
        if (Environment.GetEnvironmentVariable(FixSwitch) == "0")
        {
            throw new UnusableInputException(
                "SCAL8203",
                $"{original} needs a libstdc++ with GLIBCXX_3.4.32 (GCC 13), this system's is older, and {FixSwitch}=0 forbids the copy that does without.",
                $"Install libstdc++6 of GCC 13 or later, or unset {FixSwitch}.");
        }

        byte[] bytes = File.ReadAllBytes(original);
        byte[] lowered;
        try
        {
            lowered = LoweredLibrary.Lower(bytes);
        }
        catch (FormatException e)
        {
            throw new UnusableInputException(
                "SCAL8204",
                $"{original} needs a newer libstdc++ than this system's, and it is not the library whose need is known to be harmless: {e.Message}.",
                "Install libstdc++6 of GCC 13 or later.");
        }

        string folder = Path.Combine(cacheFolder, "native", Convert.ToHexStringLower(SHA256.HashData(bytes))[..16]);
        string copy = Path.Combine(folder, "libLibTorchSharp.so");
        if (!File.Exists(copy) || !File.ReadAllBytes(copy).AsSpan().SequenceEqual(lowered))
        {
            Directory.CreateDirectory(folder);
            WholeFile.Write(copy, stream => stream.Write(lowered));
            say($"This system's libstdc++ lacks GLIBCXX_3.4.32. TorchSharp runs from a copy with that need lowered: {copy}.");
        }

        return copy;
    }

    /// <summary>
    /// TorchSharp asks for its library by name. Its context's own resolver finds nothing (the native assets are in no output folder), and then this event is asked.
    /// </summary>
    private static void ResolveTorchSharpTo(nint handle)
    {
        var context = AssemblyLoadContext.GetLoadContext(typeof(torch).Assembly) ?? AssemblyLoadContext.Default;
        context.ResolvingUnmanagedDll += (_, name) => name is "LibTorchSharp" or "torch_cpu" or "torch_cuda" ? handle : 0;
    }
}
