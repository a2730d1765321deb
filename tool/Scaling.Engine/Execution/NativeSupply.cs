// The native packages of a stage where its actions run: fetched when the first of them does, once a run.
using System.Collections.Concurrent;
using Scaling.Engine.Planning;
using Scaling.Engine.Plugins;
using Scaling.Sdk;

namespace Scaling.Engine.Execution;

/// <summary>
/// Brings native packages. A key needs their ids, versions and content hashes, an action their folders: where <c>native.json</c> tells the hashes, nothing is fetched until an action runs; where it does not, nothing
/// can be planned without what they are, and a run fetches first.
/// </summary>
/// <param name="packages">Finds and fetches; null where nothing can be fetched.</param>
public sealed class NativeSupply(INativePackages? packages)
{
    private readonly ConcurrentDictionary<string, Lazy<Task<IReadOnlyList<NativePackage>>>> _ofStages = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Lazy<Task<IReadOnlyList<NativePackage>>>> _fetched = new(StringComparer.Ordinal);
    private readonly Lock _queueing = new();
    private Task _last = Task.CompletedTask;

    /// <summary>What a stage's keys are made with, as far as this machine knows; nothing is fetched.</summary>
    /// <param name="stage">Any.</param>
    /// <param name="stop">Stops looking.</param>
    /// <returns>Packages without a content hash among them are not on this machine.</returns>
    public async Task<IReadOnlyList<NativePackage>> Look(StageNode stage, CancellationToken stop)
    {
        if (packages is null || stage.Natives.All(n => n.Sha512 is not null))
        {
            return stage.Natives;
        }

        return await packages.Find(new NativeRequest(stage.Natives), stop).ConfigureAwait(false) is { } found ? Checked(stage, found) : stage.Natives;
    }

    /// <summary>A stage's packages, fetched where they are not on this machine.</summary>
    /// <param name="stage">Any.</param>
    /// <param name="beforeFetch">What has to hold before anything is fetched; it throws where it does not.</param>
    /// <param name="stop">Stops fetching.</param>
    /// <returns>In ordinal order, each with hash and folder.</returns>
    /// <exception cref="StageFailedException">SCAL6151: nothing here can fetch; SCAL6152: a package came with other bytes; what <paramref name="beforeFetch"/> throws.</exception>
    public async Task<IReadOnlyList<NativePackage>> Bring(StageNode stage, Func<IReadOnlyList<NativePackage>, Task> beforeFetch, CancellationToken stop)
    {
        if (stage.Natives.All(n => n.Folder is not null && n.Sha512 is not null))
        {
            return stage.Natives;
        }

        if (packages is null)
        {
            var missing = stage.Natives.First(n => n.Folder is null);
            throw new StageFailedException(
                "SCAL6151", $"The stage '{stage.Id}' ({stage.Declaration.Type}) needs the native package {missing}, which is not on this machine, and nothing here can fetch packages.", "Install the tool again.");
        }

        // Hundreds of rows ask at once. Each stage looks at the machine for itself: its settings may ask more of it than its packages tell.
        return await _ofStages.GetOrAdd(stage.Id, _ => new Lazy<Task<IReadOnlyList<NativePackage>>>(() => BringOnce(stage, packages, beforeFetch, stop))).Value.ConfigureAwait(false);
    }

    private async Task<IReadOnlyList<NativePackage>> BringOnce(StageNode stage, INativePackages from, Func<IReadOnlyList<NativePackage>, Task> beforeFetch, CancellationToken stop)
    {
        if (await from.Find(new NativeRequest(stage.Natives), stop).ConfigureAwait(false) is { } here)
        {
            return Checked(stage, here);
        }

        await beforeFetch([.. stage.Natives.Where(n => n.Folder is null)]).ConfigureAwait(false);
        string wanted = string.Join('\n', stage.Natives.Select(n => $"{n} {n.Sha512}"));
        return await _fetched.GetOrAdd(wanted, _ => new Lazy<Task<IReadOnlyList<NativePackage>>>(() => Queue(stage, from, stop))).Value.ConfigureAwait(false);
    }

    /// <summary>One after the other: what two stages share comes once, and sizes and progress are told of one thing at a time.</summary>
    private Task<IReadOnlyList<NativePackage>> Queue(StageNode stage, INativePackages from, CancellationToken stop)
    {
        lock (_queueing)
        {
            var mine = Fetch(stage, from, _last, stop);
            _last = mine;
            return mine;
        }
    }

    private static async Task<IReadOnlyList<NativePackage>> Fetch(StageNode stage, INativePackages from, Task before, CancellationToken stop)
    {
        await before.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ForceYielding);
        return Checked(stage, await from.Fetch(new NativeRequest(stage.Natives), stop).ConfigureAwait(false));
    }

    /// <summary>What came, in ordinal order, if it is what was asked for.</summary>
    private static IReadOnlyList<NativePackage> Checked(StageNode stage, IReadOnlyList<NativePackage> found)
    {
        foreach (var asked in stage.Natives)
        {
            var came = found.FirstOrDefault(f => string.Equals(f.Id, asked.Id, StringComparison.OrdinalIgnoreCase))
                ?? throw new InvalidOperationException($"{asked} was asked for and is not among the packages that came");
            if (asked.Sha512 is not null && asked.Sha512 != came.Sha512)
            {
                throw new StageFailedException(
                    "SCAL6152", $"The native package {asked} has other bytes than the plugin '{stage.Declaration.Type}' was built with: its content hash is {came.Sha512}, expected {asked.Sha512} ({came.Folder}).",
                    $"Remove that folder and run again; if it comes back the same, the source of packages has another {asked} than the plugin's author.");
            }
        }

        return found.FirstOrDefault(f => f.Folder is null || f.Sha512 is null) is { } incomplete
            ? throw new InvalidOperationException($"{incomplete} came without {(incomplete.Folder is null ? "a folder" : "a content hash")}")
            : [.. found.Select(f => f with { Id = stage.Natives.FirstOrDefault(a => string.Equals(a.Id, f.Id, StringComparison.OrdinalIgnoreCase))?.Id ?? f.Id }).OrderBy(f => f.Id, StringComparer.Ordinal)];
    }
}
