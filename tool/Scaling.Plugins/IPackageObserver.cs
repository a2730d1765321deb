// What is told while packages are brought.
using Scaling.Sdk;

namespace Scaling.Plugins;

/// <summary>A package that has to be fetched.</summary>
/// <param name="Id">Package id.</param>
/// <param name="Version">Normalised.</param>
/// <param name="Source">Name of the source in nuget.config.</param>
/// <param name="Bytes">Size of the archive; null where the source does not tell.</param>
/// <param name="BytesHere">Of these, how many an earlier download left here.</param>
public sealed record MissingPackage(string Id, string Version, string Source, long? Bytes, long BytesHere)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Id} {Version}";
}

/// <summary>Hears of downloads. Calls come from any thread, one at a time.</summary>
public interface IPackageObserver
{
    /// <summary>These will be fetched now; told before the first byte. Where a source serves no nuspec files, a package may have to come before its dependencies are known, and there are several calls.</summary>
    /// <param name="packages">At least one.</param>
    void Missing(IReadOnlyList<MissingPackage> packages);

    /// <summary>A package is coming; at most ten times a second for each, and once at its end.</summary>
    /// <param name="package">Which.</param>
    /// <param name="done">Bytes here.</param>
    /// <param name="total">Bytes in all; null where the source does not tell.</param>
    void Progress(MissingPackage package, long done, long? total);

    /// <summary>A package was fetched, proved and installed.</summary>
    /// <param name="package">Which.</param>
    void Installed(InstalledPackage package);

    /// <summary>Something that the reader should know; the work goes on.</summary>
    /// <param name="warning">Its severity is <see cref="Severity.Warning"/>.</param>
    void Warned(Diagnostic warning);
}
