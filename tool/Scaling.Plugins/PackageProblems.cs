// Every finding about packages, in one place: what was found, what was expected, what to do next.
using NuGet.Configuration;
using NuGet.Protocol.Core.Types;
using Scaling.Engine;
using Scaling.Engine.Locks;
using Scaling.Sdk;

namespace Scaling.Plugins;

/// <summary>Codes SCAL6100–6149; see the remarks of <see cref="PackageSources"/> for what their ranges mean.</summary>
internal static class PackageProblems
{
    private const int NoSpace = 28;
    private const int QuotaExceeded = 122;

    public static StageFailedException Config(NuGetConfigurationException cause) =>
        Of(null, "SCAL6100", $"A nuget.config cannot be read: {cause.Message}", "Correct it; `dotnet nuget list source` in that folder must work.");

    public static StageFailedException NotARequest(PackageRequest request, string wrong) =>
        Of(request.Location, "SCAL6101", $"{wrong}: package '{request.Id}', version '{request.Version}'.", "Write an exact version such as 1.2.0, a floating one such as 1.*, or a range such as [1.0,2.0).");

    public static StageFailedException UnknownPackage(PackageRequest request, string asked, string? nearest) =>
        Of(request.Location, "SCAL6102", $"There is no package '{request.Id}'. Asked were: {asked}.", nearest ?? "Check its spelling, or add the source that has it to nuget.config.");

    public static StageFailedException UnknownVersion(PackageRequest request, IEnumerable<string> versions) =>
        Of(request.Location, "SCAL6103", $"The package {request.Id} has no version {request.Version}; there are: {List(versions)}.", "Take one of those.");

    public static StageFailedException LockedVersionGone(LockedPackage locked, SourceLocation? place, string asked) =>
        Of(place, "SCAL6103", $"No source has the locked {locked}. Asked were: {asked}.", "Add the source that it came from to nuget.config, or write the lock anew.");

    public static Diagnostic MissingDependency(SourceLocation? place, string dependency, string askedBy, string found) =>
        new("SCAL6104", $"{askedBy} needs {dependency}, {found}.") { Location = place, Hint = "Add the source that has it to nuget.config, or take another version of the plugin." };

    public static Diagnostic Conflict(SourceLocation? place, string id, string one, string other) =>
        new("SCAL6105", $"No version of {id} satisfies both {one} and {other}.") { Location = place, Hint = "Take other versions of the plugin or of what it depends on." };

    public static Diagnostic Downgrade(SourceLocation? place, string id, string near, string far) =>
        new("SCAL6106", $"{near} would take an older {id} than {far}.") { Location = place, Hint = "The package nearer to the plugin has to ask for at least that version." };

    public static Diagnostic Cycle(SourceLocation? place, string path) =>
        new("SCAL6107", $"Packages depend on each other in a circle: {path}.") { Location = place };

    public static StageFailedException Floating(PackageRequest request) =>
        Of(request.Location, "SCAL6108", $"The version '{request.Version}' of {request.Id} floats, and locked runs take exact versions only.", "Write the exact version, such as the one in the lock.");

    public static StageFailedException NotCovered(SourceLocation? place, string message) =>
        Of(place, "SCAL6109", message, "Write the lock anew.");

    public static StageFailedException NoCompatibleAssets(string package, IEnumerable<string> frameworks) =>
        Of(null, "SCAL6110", $"{package} has nothing for net10.0; it is built for {List(frameworks)}.", "Take a version that is built for net10.0 or something that net10.0 can load.");

    public static StageFailedException NoAssembly(string package) =>
        Of(null, "SCAL6111", $"{package} is no plugin: it holds no assembly in lib/.", "Was it packed with IncludeBuildOutput=false?");

    public static StageFailedException SeveralAssemblies(string package, string id, IEnumerable<string> assemblies) =>
        Of(null, "SCAL6112", $"{package} holds several assemblies and none is {id}.dll: {List(assemblies)}.", "Name the package like the assembly that holds the stages.");

    public static StageFailedException NotMapped(SourceLocation? place, string id) =>
        Of(place, "SCAL6113", $"nuget.config has packageSourceMapping, and no source is mapped for {id}.", $"Add `<package pattern=\"{id}\" />` to the source that has it.");

    public static StageFailedException Insecure(PackageSource source) =>
        Of(null, "SCAL6114", $"The source {source.Name} is plain http: {source.Source}.", "Use https, or add allowInsecureConnections=\"true\" to it in nuget.config.");

    public static StageFailedException NoSources() =>
        Of(null, "SCAL6115", "nuget.config has no source that is enabled.", "Add one: `dotnet nuget add source URL`.");

    public static StageFailedException OtherHash(string package, string expected, string found, string where) =>
        new([HashDiffers(package, expected, found, where)]);

    public static Diagnostic HashDiffers(string package, string expected, string found, string where) =>
        new("SCAL6120", $"{package} from {where} is not the package that was locked: its content hash is {found}, expected was {expected}.")
        {
            Hint = "Somebody published other bytes under the same version, or changed them on the way. If you trust them, write the lock anew.",
        };

    public static StageFailedException Broken(string package, string where, string wrong) =>
        Of(null, "SCAL6121", $"{package} from {where} is no sound package: {wrong}", "Ask its publisher, or take another version.");

    public static Diagnostic SignatureBroken(string package, string where, string wrong) =>
        new("SCAL6122", $"The signature of {package} from {where} does not hold: {wrong}") { Hint = "It is not what was signed. Take it from another source." };

    public static StageFailedException NotTrusted(string package, string where, string wrong) =>
        Of(null, "SCAL6123", $"{package} from {where} is not trusted: {wrong}", "nuget.config demands it by signatureValidationMode and trustedSigners.");

    public static Diagnostic Changed(string package, string folder, string wrong) =>
        new("SCAL6124", $"{package} was changed after it was installed into {folder}: {wrong}.") { Hint = $"Install it again: remove that folder, or `dotnet nuget locals global-packages --clear`." };

    public static StageFailedException Escapes(string package, string file) =>
        Of(null, "SCAL6125", $"{package} holds a file that would lie outside its folder: {file}.", "Do not use it.");

    public static StageFailedException TooLarge(string package, string what) =>
        Of(null, "SCAL6126", $"{package} is refused: {what}.", "A plugin's managed part is small; large native packages belong into its native.json.");

    public static InfrastructureException Unreachable(IEnumerable<FeedFailure> failures)
    {
        FeedFailure[] all = [.. failures];
        string reasons = string.Join("; ", all.Select(f => $"{f.Feed.Name} ({f.Feed.Address}): {f.Reason}"));
        return all.Any(f => f.Unauthorised)
            ? new("SCAL6131", $"A source refuses: {reasons}.", "Add its credentials to the user's nuget.config: `dotnet nuget update source NAME --username USER --password TOKEN`.")
            : new("SCAL6130", $"Sources cannot be reached: {reasons}.", "Check the network, or put the packages into a folder and add it: `dotnet nuget add source FOLDER`.");
    }

    public static InfrastructureException Interrupted(MissingPackage package, long done, string reason) =>
        new("SCAL6132", $"The download of {package} from {package.Source} broke off after {done} of {package.Bytes?.ToString() ?? "unknown"} bytes: {reason}.", "What came is kept: run again, and it goes on from there.");

    public static InfrastructureException NoRoom(string what, string folder, long needed, long free) =>
        new("SCAL6133", $"{what} needs {needed} bytes in {folder}, and {free} are free.", "Make room, or name another folder: --cache, and NUGET_PACKAGES for packages.");

    /// <summary>A full disk, or a folder that cannot be written.</summary>
    public static InfrastructureException File(Exception cause, string folder) => cause.HResult is NoSpace or QuotaExceeded
        ? new("SCAL6133", $"The disk of {folder} is full: {cause.Message}", "Make room, or name another folder: --cache, and NUGET_PACKAGES for packages.")
        : new("SCAL6134", $"{folder} cannot be written: {cause.Message}", "Mend its permissions, or name another folder: --cache, and NUGET_PACKAGES for packages.");

    public static Diagnostic HigherThanAsked(SourceLocation? place, string askedBy, string dependency, string taken) =>
        Warning("SCAL6141", $"{askedBy} needs {dependency}, and no source has the lowest version of that; taken is {taken}.") with { Location = place };

    public static Diagnostic NotInstalled(LockedPackage package) =>
        Warning("SCAL6142", $"{package} is not installed.") with { Hint = "It is fetched when an action needs it." };

    public static Diagnostic OtherFramework(string package, string framework) =>
        Warning("SCAL6143", $"{package} has nothing for net10.0; what it has for {framework} is taken and may not work.");

    public static Diagnostic NewerThanFramework(string package, string assembly, Version version, Version framework) =>
        Warning("SCAL6144", $"{package} brings {assembly} {version}, newer than the {framework} of .NET. The plugin loads it, but the tool does not: its types are two different ones.");

    public static Diagnostic InstalledAgain(string package, string folder, string wrong) =>
        Warning("SCAL6145", $"{package} in {folder} was damaged: {wrong}. It was installed again.");

    /// <summary>What went wrong with a source, in a few words without a stack trace.</summary>
    public static string Reason(Exception e)
    {
        while (e is FatalProtocolException or AggregateException && e.InnerException is { } inner)
        {
            e = inner;
        }

        return e switch
        {
            HttpRequestException { StatusCode: { } status } => $"it answered {(int)status} {status}",
            TaskCanceledException or TimeoutException => "it did not answer in time",
            _ => e.InnerException is { } cause && e is HttpRequestException ? cause.Message : e.Message.ReplaceLineEndings(" "),
        };
    }

    private static StageFailedException Of(SourceLocation? place, string code, string message, string? hint) => new([new Diagnostic(code, message) { Hint = hint, Location = place }]);

    private static Diagnostic Warning(string code, string message) => new(code, message) { Severity = Severity.Warning };

    private static string List(IEnumerable<string> names)
    {
        string[] all = [.. names];
        return all.Length <= 12 ? string.Join(", ", all) : $"{string.Join(", ", all.Take(4))}, … {string.Join(", ", all.TakeLast(8))}";
    }
}
