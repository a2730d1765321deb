// Downloads as a person reads them: what is missing and how large it is before the first byte, then how far it is.
using Scaling.Engine.Pipelines;
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
        string size = packages.All(p => p.Bytes is null) ? "" : $", {(packages.Any(p => p.Bytes is null) ? "at least " : "")}{ByteCount.Text(known)}{(here > 0 ? $", {ByteCount.Text(here)} of it here from an earlier try" : "")}";
        console.Say($"fetching {some}{size}:");
        foreach (var package in packages)
        {
            console.Say($"  {package} from {package.Source}{(package.Bytes is { } bytes ? $", {ByteCount.Text(bytes)}" : "")}");
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
        string left = known && rate > 0 ? $", {Duration.InWords((all - here) / rate)} left" : "";
        console.Moving($"fetching {ByteCount.Text(here)}{(known ? $" of {ByteCount.Text(all)}" : "")} ({ByteCount.Text((long)rate)}/s{left})  {package}");
    }

    public void Installed(InstalledPackage package)
    {
    }

    public void Warned(Diagnostic warning) => console.Say(warning.ToString());

    private readonly record struct Coming(long Done, long? Total);
}
