// The code of a stage where its actions run: a plugin that is a package is fetched when the first of them does.
using System.Collections.Concurrent;
using Scaling.Engine.Keys;
using Scaling.Engine.Plugins;
using Scaling.Engine.Store;
using Scaling.Engine.Workers;
using Scaling.Sdk;

namespace Scaling.Engine.Execution;

/// <summary>Brings the code of stages to this machine, once a run.</summary>
/// <param name="packages">Fetches; null where nothing can be fetched.</param>
/// <param name="store">Digests what came.</param>
public sealed class StageCode(IPluginPackages? packages, ContentStore store)
{
    private readonly ConcurrentDictionary<PluginPackage, Lazy<Task<string>>> _fetched = new();

    /// <summary>Brings native packages. Default: nothing can be fetched.</summary>
    public NativeSupply Natives { get; init; } = new(null);

    /// <summary>The actions with the path of their code.</summary>
    /// <param name="type">Their stage's.</param>
    /// <param name="actions">As planned.</param>
    /// <param name="stop">Stops fetching.</param>
    /// <exception cref="StageFailedException">SCAL6013: the package holds other code than planned with; SCAL61xx: it cannot be had.</exception>
    public async Task<IReadOnlyList<ActionSpec>> Ready(StageType type, IReadOnlyList<ActionSpec> actions, CancellationToken stop)
    {
        if (type.Package is null)
        {
            return actions;
        }

        string assembly = await Assembly(type, stop).ConfigureAwait(false);
        return [.. actions.Select(a => a with { Assembly = assembly })];
    }

    /// <summary>Path of a type's main assembly, fetched where it is not there.</summary>
    /// <param name="type">Any.</param>
    /// <param name="stop">Stops fetching.</param>
    /// <exception cref="StageFailedException">As for <see cref="Ready"/>.</exception>
    public async Task<string> Assembly(StageType type, CancellationToken stop) =>
        type.Package is { } package ? await _fetched.GetOrAdd(package, _ => new Lazy<Task<string>>(() => Fetch(type, package, stop))).Value.ConfigureAwait(false) : type.Assembly;

    /// <summary>Path of a type's main assembly as its workers know it.</summary>
    /// <param name="type">Any.</param>
    public string AssemblyOf(StageType type) =>
        type.Package is { } package && _fetched.TryGetValue(package, out var fetched) && fetched.Value.IsCompletedSuccessfully ? fetched.Value.Result : type.Assembly;

    private async Task<string> Fetch(StageType type, PluginPackage package, CancellationToken stop)
    {
        string assembly = packages is null
            ? throw new StageFailedException("SCAL6001", $"The stage '{type.Declaration.Type}' is in the package {package}, and nothing here can fetch packages.", "Install the tool again.")
            : await packages.Fetch(package, stop).ConfigureAwait(false);
        string folder = Path.GetDirectoryName(assembly)!;
        string[] others =
        [
            .. type.CodeEntries.Where(e => e.Kind is EntryKind.Assembly or EntryKind.Library)
                .Where(e => Path.Combine(folder, e.Name) is var path && (!File.Exists(path) || store.Digest(path) != e.Value)).Select(e => e.Name),
        ];
        return others.Length == 0
            ? assembly
            : throw new StageFailedException(
                "SCAL6013", $"The package {package} was laid out with other code than this tool was packed with: {string.Join(", ", others)} ({folder}).",
                "Tool and package must come from the same release: see which source gave the package ('dotnet scaling plugin list'), and install the tool again.");
    }
}
