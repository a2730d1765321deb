// A library that is too large for one package: a first piece, its fragments in other packages, and the digest of the whole.
using System.Globalization;
using System.Text.RegularExpressions;

namespace Scaling.Torch;

/// <summary>
/// How TorchSharp's packages hold <c>X.so</c>: <c>runtimes/linux-x64/native/X.so</c> in a package <c>…-primary</c> is the first piece, <c>X.so.sha</c> beside it the SHA-256 of the whole in hexadecimal digits, and
/// <c>fragments/linux-x64/native/X.so.fragment1</c>, <c>2</c>, … in packages <c>…-fragment1</c>, … are what follows. A build that refers to those packages puts the whole in the first piece's place and
/// deletes the fragments, in NuGet's own folder; so the first piece may be whole, and fragments may be gone.
/// </summary>
/// <param name="FirstPiece">Absolute path.</param>
/// <param name="Fragments">Absolute paths by number; some may be missing.</param>
/// <param name="Sha256">Of the whole, 64 lower-case digits.</param>
internal sealed partial record SplitLibrary(string FirstPiece, IReadOnlyDictionary<int, string> Fragments, string Sha256)
{
    /// <summary>What the digest's file has after the library's name.</summary>
    public const string ShaSuffix = ".sha";

    private static readonly string InPackage = Path.Combine("fragments", "linux-x64", "native");

    /// <summary>File name of the library.</summary>
    public string Name => Path.GetFileName(FirstPiece);

    /// <summary>The first piece, then the fragments in order.</summary>
    public IReadOnlyList<string> Pieces => [FirstPiece, .. Fragments.OrderBy(f => f.Key).Select(f => f.Value)];

    /// <summary>Bytes of all pieces.</summary>
    public long Bytes => Pieces.Sum(p => new FileInfo(p).Length);

    /// <summary>Whether a digest of the whole lies beside a library.</summary>
    /// <param name="library">Path.</param>
    public static bool IsFirstPiece(string library) => File.Exists(library + ShaSuffix);

    /// <summary>Finds the pieces.</summary>
    /// <param name="firstPiece">Of which <see cref="IsFirstPiece"/> holds.</param>
    /// <param name="packages">Folders of native packages.</param>
    /// <exception cref="UnusableInputException">SCAL8211: its digest is none.</exception>
    public static SplitLibrary Of(string firstPiece, IReadOnlyList<string> packages)
    {
        string sha = File.ReadAllText(firstPiece + ShaSuffix).Trim().ToLowerInvariant();
        if (!Sha().IsMatch(sha))
        {
            throw new UnusableInputException("SCAL8211", $"{firstPiece}{ShaSuffix} holds no SHA-256 in hexadecimal digits.", Remove(firstPiece));
        }

        string beginning = Path.GetFileName(firstPiece) + ".fragment";
        var fragments = new Dictionary<int, string>();
        foreach (string file in packages.Select(p => Path.GetFullPath(Path.Combine(p, InPackage))).Where(Directory.Exists).SelectMany(f => Directory.EnumerateFiles(f, beginning + "*")))
        {
            if (int.TryParse(Path.GetFileName(file)[beginning.Length..], NumberStyles.None, CultureInfo.InvariantCulture, out int number))
            {
                fragments.TryAdd(number, file);
            }
        }

        return new SplitLibrary(firstPiece, fragments, sha);
    }

    /// <summary>Sees to it that no fragment is missing between those that are there.</summary>
    /// <exception cref="UnusableInputException">SCAL8210: one is.</exception>
    public void DemandFragments()
    {
        int last = Fragments.Keys.DefaultIfEmpty(0).Max();
        int[] missing = [.. Enumerable.Range(1, Math.Max(1, last)).Where(n => !Fragments.ContainsKey(n))];
        if (missing.Length > 0)
        {
            throw new UnusableInputException(
                "SCAL8210",
                $"device: cuda, and {Name} is not whole: {FirstPiece} is its first piece, and {string.Join(", ", missing.Select(n => $"{Name}.fragment{n}"))} {(missing.Length == 1 ? "is" : "are")} in {InPackage} of none of the native packages"
                + (Fragments.Count == 0 ? "." : $" (found: {string.Join(", ", Fragments.OrderBy(f => f.Key).Select(f => f.Value))})."),
                $"Remove the folders of the packages {Family(FirstPiece)}* from NuGet's packages folder, so that they are fetched anew, and run again.");
        }
    }

    /// <summary>The pieces are not those of the library.</summary>
    /// <param name="found">SHA-256 of all together.</param>
    public UnusableInputException Damaged(string found) => new(
        "SCAL8211",
        $"device: cuda, and the {Pieces.Count} pieces of {Name} do not give the library: the SHA-256 of all together is {found}, expected {Sha256} ({FirstPiece}{ShaSuffix}). "
        + $"One is damaged or the last are missing: {string.Join(", ", Pieces.Select(p => string.Create(CultureInfo.InvariantCulture, $"{p} ({new FileInfo(p).Length:#,0} bytes)")))}.",
        $"Remove the folders of the packages {Family(FirstPiece)}* from NuGet's packages folder, so that they are fetched anew, and run again.");

    private static string Remove(string firstPiece) => $"Remove the folder {PackageFolder(firstPiece)}, so that the package is fetched anew, and run again.";

    /// <summary>PACKAGES/ID/VERSION/runtimes/linux-x64/native/X.so is in PACKAGES/ID/VERSION.</summary>
    private static string PackageFolder(string firstPiece) => Path.GetFullPath(Path.Combine(firstPiece, "..", "..", "..", ".."));

    /// <summary>What the ids of the packages with pieces of one library begin with.</summary>
    private static string Family(string firstPiece)
    {
        string id = Path.GetFileName(Path.GetDirectoryName(PackageFolder(firstPiece)))!;
        return id.EndsWith("-primary", StringComparison.Ordinal) ? id[..^"-primary".Length] : id;
    }

    [GeneratedRegex("^[0-9a-f]{64}$")]
    private static partial Regex Sha();
}
