// One folder for a libtorch that comes in several packages: its libraries look for each other beside themselves.
using System.Security.Cryptography;
using System.Text;

namespace Scaling.Torch;

/// <summary>
/// libtorch for CUDA passes NuGet's limit of 250 MB many times and is spread over the packages <c>libtorch-cuda-12.8-linux-x64-part…</c>: <c>libtorch.so</c> lies in one,
/// <c>libtorch_cuda.so</c>, put together from its fragments, in another. Their run path is their own folder, so a folder of links stands for all of them.
/// </summary>
public static class LibtorchFolder
{
    /// <summary>The library that only the CUDA build has.</summary>
    public const string CudaLibrary = "libtorch_cuda.so";

    /// <summary>Where a package keeps its libraries.</summary>
    internal static readonly string InPackage = Path.Combine("runtimes", "linux-x64", "native");

    /// <summary>Whether the CUDA build is among the packages.</summary>
    /// <param name="packages">Folders of native packages.</param>
    public static bool HoldsCuda(IReadOnlyList<string> packages) => packages.Any(p => File.Exists(Path.Combine(p, InPackage, CudaLibrary)));

    /// <summary>A folder with a link to every library of the CUDA build and of what it needs; made once for the same packages.</summary>
    /// <param name="packages">Folders of native packages. One with libtorch for processors is passed over: its libraries have the same names.</param>
    /// <param name="cacheFolder">Where the folder is made.</param>
    public static string OfCuda(IReadOnlyList<string> packages, string cacheFolder)
    {
        string[] libraries =
        [
            .. packages.Select(p => Path.GetFullPath(Path.Combine(p, InPackage)))
                .Where(native => Directory.Exists(native) && !IsForProcessors(native))
                .SelectMany(Directory.EnumerateFiles).Where(IsLibrary)
                .DistinctBy(Path.GetFileName).Order(StringComparer.Ordinal),
        ];
        string id = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', libraries))))[..16];
        string folder = Path.Combine(cacheFolder, "native", id);
        if (!Directory.Exists(folder))
        {
            string unfinished = Directory.CreateDirectory($"{folder}.{Guid.NewGuid():n}").FullName;
            foreach (string library in libraries)
            {
                File.CreateSymbolicLink(Path.Combine(unfinished, Path.GetFileName(library)), library);
            }

            Publish(unfinished, folder);
        }

        return folder;
    }

    private static bool IsForProcessors(string native) => File.Exists(Path.Combine(native, "libtorch.so")) && !File.Exists(Path.Combine(native, "libc10_cuda.so"));

    private static bool IsLibrary(string file) =>
        Path.GetFileName(file) is var name && (name.EndsWith(".so", StringComparison.Ordinal) || name.Contains(".so.", StringComparison.Ordinal)) && !name.EndsWith(".sha", StringComparison.Ordinal);

    private static void Publish(string unfinished, string folder)
    {
        try
        {
            Directory.Move(unfinished, folder);
        }
        catch (IOException) when (Directory.Exists(folder))
        {
            Directory.Delete(unfinished, recursive: true); // Another process made the same.
        }
    }
}
