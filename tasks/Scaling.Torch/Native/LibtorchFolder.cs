// One folder for a libtorch that comes in several packages: its libraries look for each other beside themselves.
using System.Security.Cryptography;
using System.Text;

namespace Scaling.Torch;

/// <summary>
/// libtorch for CUDA passes NuGet's limit of 250 MB many times and is spread over the packages <c>libtorch-cuda-12.8-linux-x64-part…</c>: <c>libtorch.so</c> lies in one,
/// <c>libtorch_cuda.so</c> in several, a piece in each (<see cref="SplitLibrary"/>). Their run path is their own folder, so a folder of links stands for all of them.
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

    /// <summary>A folder with a link to every library of the CUDA build and of what it needs, those in pieces put together; made once for the same packages.</summary>
    /// <param name="packages">Folders of native packages; nothing is written there. One with libtorch for processors is passed over: its libraries have the same names.</param>
    /// <param name="cacheFolder">Where the folder is made.</param>
    /// <param name="progress">Takes news while libraries are put together, which takes minutes for gigabytes; null for nobody.</param>
    /// <param name="stop">Stops putting together; nothing unfinished stays.</param>
    /// <exception cref="UnusableInputException">SCAL8210 to SCAL8213: a piece is missing, pieces are damaged, the disk has no room, the cache cannot be written.</exception>
    /// <exception cref="OperationCanceledException">Stopped.</exception>
    public static string OfCuda(IReadOnlyList<string> packages, string cacheFolder, Action<StitchProgress>? progress = null, CancellationToken stop = default) =>
        OfCuda(packages, cacheFolder, FreeBytes, progress ?? (_ => { }), stop);

    /// <summary>The same, with the room on the disk of a folder asked of somebody else.</summary>
    internal static string OfCuda(IReadOnlyList<string> packages, string cacheFolder, Func<string, long> freeBytes, Action<StitchProgress> progress, CancellationToken stop)
    {
        string[] libraries =
        [
            .. packages.Select(p => Path.GetFullPath(Path.Combine(p, InPackage)))
                .Where(native => Directory.Exists(native) && !IsForProcessors(native))
                .SelectMany(Directory.EnumerateFiles).Where(IsLibrary)
                .DistinctBy(Path.GetFileName).Order(StringComparer.Ordinal),
        ];
        SplitLibrary[] split = [.. libraries.Where(SplitLibrary.IsFirstPiece).Select(first => SplitLibrary.Of(first, packages))];
        // The length tells a first piece from the whole in its place, should a build or a clean-up exchange them under a link.
        string[] lines = [.. libraries.Select(l => split.FirstOrDefault(s => s.FirstPiece == l) is { } s ? $"{l} {s.Sha256} {new FileInfo(l).Length}" : l)];
        string id = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', lines))))[..16];
        string natives = Path.Combine(cacheFolder, "native");
        string folder = Path.Combine(natives, id);
        try
        {
            if (!IsWhole(folder, libraries))
            {
                var whole = new WholeLibraries(Path.Combine(natives, "whole"), freeBytes, progress, stop).Of(split);
                Link(libraries.Select(l => whole.GetValueOrDefault(l, l)), folder);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UnusableInputException("SCAL8213", $"The folder with libtorch for CUDA cannot be made in {natives}: {e.Message}", "Make room or mend permissions, or name another store with --cache.");
        }

        return folder;
    }

    /// <summary>Whether every link is there and leads somewhere: both the packages and the whole libraries may have been removed since.</summary>
    private static bool IsWhole(string folder, string[] libraries) => libraries.All(l => File.Exists(new FileInfo(Path.Combine(folder, Path.GetFileName(l))).LinkTarget)); // A link that leads nowhere "exists" itself.

    private static void Link(IEnumerable<string> libraries, string folder)
    {
        string unfinished = Directory.CreateDirectory($"{folder}.{Guid.NewGuid():n}").FullName;
        foreach (string library in libraries)
        {
            File.CreateSymbolicLink(Path.Combine(unfinished, Path.GetFileName(library)), library);
        }

        Publish(unfinished, folder);
    }

    private static bool IsForProcessors(string native) => File.Exists(Path.Combine(native, "libtorch.so")) && !File.Exists(Path.Combine(native, "libc10_cuda.so"));

    private static bool IsLibrary(string file) =>
        Path.GetFileName(file) is var name && (name.EndsWith(".so", StringComparison.Ordinal) || name.Contains(".so.", StringComparison.Ordinal)) && !name.EndsWith(SplitLibrary.ShaSuffix, StringComparison.Ordinal);

    private static long FreeBytes(string folder) => new DriveInfo(folder).AvailableFreeSpace;

    private static void Publish(string unfinished, string folder)
    {
        try
        {
            Directory.Move(unfinished, folder);
        }
        catch (IOException) when (Directory.Exists(folder))
        {
            // Another process made the same; or links that lead nowhere stand there, and these take their place.
            foreach (string link in Directory.EnumerateFileSystemEntries(unfinished))
            {
                File.Move(link, Path.Combine(folder, Path.GetFileName(link)), overwrite: true);
            }

            Directory.Delete(unfinished, recursive: true);
        }
    }
}
