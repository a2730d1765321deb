// Downloads as a person reads them: what is missing and how large it is before the first byte, then how far it is.
using System.Globalization;
using Scaling.Plugins;
using Scaling.Sdk;

namespace Scaling.Cli;

/// <summary>Tells of downloads through the console of a command.</summary>
internal sealed class PackageConsole(RunConsole console, TimeProvider time) : IPackageObserver
{
    private readonly Dictionary<string, Coming> _coming = [];
    private long _started;
    private long _earlier;

    public void Missing(IReadOnlyList<MissingPackage> packages)
    {
        foreach (var package in packages)
        {
            _coming[package.ToString()] = new Coming(package.BytesHere, package.Bytes);
        }

        if (_started == 0)
        {
            _started = time.GetTimestamp();
        }

        _earlier += packages.Sum(p => p.BytesHere);
        long known = packages.Sum(p => p.Bytes ?? 0);
        long here = packages.Sum(p => p.BytesHere);
        string some = packages.Count == 1 ? "1 package" : $"{packages.Count} packages";
        string size = packages.All(p => p.Bytes is null) ? "" : $", {(packages.Any(p => p.Bytes is null) ? "at least " : "")}{Size(known)}{(here > 0 ? $", {Size(here)} of it here from an earlier try" : "")}";
        console.Say($"fetching {some}{size}:");
        foreach (var package in packages)
        {
            console.Say($"  {package} from {package.Source}{(package.Bytes is { } bytes ? $", {Size(bytes)}" : "")}");
        }
    }

    public void Progress(MissingPackage package, long done, long? total)
    {
        _coming[package.ToString()] = new Coming(done, total ?? package.Bytes);
        long here = _coming.Values.Sum(c => c.Done);
        double seconds = time.GetElapsedTime(_started).TotalSeconds;
        double rate = seconds > 0 ? (here - _earlier) / seconds : 0;
        bool known = _coming.Values.All(c => c.Total is not null);
        long all = _coming.Values.Sum(c => c.Total ?? 0);
        string left = known && rate > 0 ? $", {RunConsole.Span((all - here) / rate)} left" : "";
        console.Moving($"fetching {Size(here)}{(known ? $" of {Size(all)}" : "")} ({Size((long)rate)}/s{left})  {package}");
    }

    public void Installed(InstalledPackage package)
    {
    }

    public void Warned(Diagnostic warning) => console.Say(warning.ToString());

    /// <summary>Three digits and a decimal prefix, for example <c>128 MB</c>.</summary>
    public static string Size(long bytes)
    {
        string[] units = ["B", "kB", "MB", "GB", "TB"];
        int unit = bytes < 1000 ? 0 : Math.Min(units.Length - 1, (int)Math.Log10(bytes) / 3);
        return string.Create(CultureInfo.InvariantCulture, $"{bytes / Math.Pow(1000, unit):G3} {units[unit]}");
    }

    private readonly record struct Coming(long Done, long? Total);
}
