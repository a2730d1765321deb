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
public static class NativeLibtorch
{
    /// <summary>The environment variable that, set to <c>0</c>, forbids the lowered copy of libLibTorchSharp.so.</summary>
    public const string FixSwitch = "SCALING_NATIVE_FIX";

    /// <summary>The symbol by which a libstdc++ shows that it provides GLIBCXX_3.4.32.</summary>
    private const string MarkerOfGcc13 = "_ZSt21ios_base_library_initv";

    private static readonly Lock Gate = new();
    private static bool _loaded;

    /// <summary>Loads the libraries and keeps libtorch to one thread: several one-thread processes beat one process of several threads for small models.</summary>
    /// <param name="nativeFolders">Folders of the packages libtorch-cpu-linux-x64 and TorchSharp.</param>
    /// <param name="cacheFolder">Where a lowered copy of libLibTorchSharp.so may be kept, see <see cref="LoweredLibrary"/>.</param>
    /// <param name="say">Takes one sentence when such a copy is made; it is made once a cache folder.</param>
    /// <exception cref="UnusableInputException">SCAL8201 to SCAL8204: the libraries are missing, do not load, or need a newer libstdc++.</exception>
    public static void Load(IReadOnlyList<string> nativeFolders, string cacheFolder, Action<string> say)
    {
        lock (Gate)
        {
            if (_loaded)
            {
                return;
            }

            string torchSharp = Find(nativeFolders, "libLibTorchSharp.so");
            LoadByPath(Find(nativeFolders, "libtorch.so"));
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

    private sealed class OneThreadAgain : IDisposable
    {
        public void Dispose() => torch.set_num_threads(1);
    }

    private static string Find(IReadOnlyList<string> folders, string file)
    {
        foreach (string folder in folders)
        {
            string path = Path.Combine(folder, "runtimes", "linux-x64", "native", file);
            if (File.Exists(path))
            {
                return Path.GetFullPath(path);
            }
        }

        throw new UnusableInputException(
            "SCAL8201",
            $"{file} is in none of the native packages' folders ({(folders.Count == 0 ? "none given" : string.Join(", ", folders))}).",
            "Expected native.json beside the plugin to name the folders of libtorch-cpu-linux-x64 and TorchSharp (linux-x64 alone is supported). Restore and build the plugin anew.");
    }

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
        context.ResolvingUnmanagedDll += (_, name) => name is "LibTorchSharp" or "torch_cpu" ? handle : 0;
    }
}
