// What a stage's results were made of, in entries that another machine can compare.
using System.Security.Cryptography;
using System.Text;
using Scaling.Engine.Keys;
using Scaling.Engine.Planning;
using Scaling.Engine.Plugins;

namespace Scaling.Engine.Locks;

/// <summary>The content of a result.</summary>
/// <param name="Name">Below the folder of its stage, or of its row.</param>
/// <param name="Point">The row; null for a file of the whole stage.</param>
/// <param name="Sha256">64 hex digits.</param>
public sealed record ResultDigest(string Name, string? Point, string Sha256);

/// <summary>A stage's entries, those of all its rows at once: rows follow from its inputs.</summary>
/// <param name="Portable">The same on every machine.</param>
/// <param name="Local">Of the machine that runs.</param>
/// <param name="Unknown">Names of file settings whose files are not on this machine: their entries are not among <paramref name="Portable"/>.</param>
public sealed record StageStatement(IReadOnlyList<KeyEntry> Portable, IReadOnlyList<KeyEntry> Local, IReadOnlySet<string> Unknown)
{
    /// <summary>The statement of a stage.</summary>
    /// <param name="stage">Of a linked pipeline.</param>
    /// <param name="seed">The pipeline's.</param>
    /// <param name="digest">SHA-256 of an input that is a file of the user.</param>
    /// <param name="natives">The native packages that the stage ran with; null where it has not run here.</param>
    /// <param name="results">Digests of a needed stage's results by name, as the lock holds them.</param>
    public static StageStatement Of(StageNode stage, long seed, Func<Binding, string> digest, IReadOnlyList<NativePackage>? natives, Func<string, IReadOnlyDictionary<string, string>> results)
    {
        var local = stage.Files.Where(IsOfMachine).ToArray();
        var missing = stage.Files.Where(f => f.Files.Count == 0 && !IsOfMachine(f) && f.Text.Length > 0).Select(f => f.Setting).ToHashSet(StringComparer.Ordinal);
        List<KeyEntry> portable = [.. StagePlanner.Common(stage, "run", []), .. stage.Natives.Select(Named), .. StagePlanner.Settings(stage.Settings, stage.Files)];
        portable.AddRange(StagePlanner.FileEntries(stage.Files.Except(local).Where(f => !missing.Contains(f.Setting))));
        portable.AddRange(local.Select(f => new KeyEntry(EntryKind.Files, f.Setting, f.Scheme)));
        if (stage.Declaration.UsesPipelineSeed)
        {
            portable.Add(new KeyEntry(EntryKind.Seed, "pipeline", $"{seed}"));
        }

        portable.AddRange(stage.Inputs.GroupBy(i => i.Role.Name).SelectMany(role => role.Select((binding, i) => new KeyEntry(EntryKind.Input, $"{role.Key}[{i}]", Input(binding, digest, results)))));
        // What came back is known by all that its stage gave last: in the last round nothing new was listed.
        portable.AddRange(stage.Feedback.GroupBy(f => f.Role.Name).SelectMany(role => role.Select((binding, i) =>
            new KeyEntry(EntryKind.Input, $"{role.Key}[{i}]", Combined(results(binding.Stage).Select(r => new ResultDigest(r.Key, null, r.Value)))))));
        List<KeyEntry> ofMachine = [.. local.SelectMany(f => StagePlanner.FileEntries([f]).Skip(1))];
        var asked = stage.Natives.Select(n => n.Id).ToHashSet(StringComparer.OrdinalIgnoreCase);
        ofMachine.AddRange((natives ?? []).Where(n => !asked.Contains(n.Id) || stage.Natives.Any(a => a.Id == n.Id && a.Sha512 is null)).Select(n => n.Entry));
        if (stage.Declaration.Exclusive)
        {
            ofMachine.Add(new KeyEntry(EntryKind.Device, "class", stage.DeviceClass ?? DeviceClass.OfThisMachine));
        }

        return new StageStatement(portable, ofMachine, missing);
    }

    /// <summary>Digests of a stage's results by name, in ordinal order; the files of one name of all rows are one, <c>*/NAME</c>.</summary>
    /// <param name="files">All of them.</param>
    public static IReadOnlyDictionary<string, string> Results(IEnumerable<ResultDigest> files) => files.GroupBy(f => f.Point is null ? f.Name : "*/" + f.Name).OrderBy(same => same.Key, StringComparer.Ordinal)
        .ToDictionary(same => same.Key, same => same.First().Point is null ? same.First().Sha256 : Combined(same.Select(f => new ResultDigest(f.Point!, null, f.Sha256))), StringComparer.Ordinal);

    /// <summary>As the plugin names it: its content where that was known when the plugin was built, else its version.</summary>
    private static KeyEntry Named(NativePackage package) => new(EntryKind.Native, package.Id, package.Sha512 is null ? package.Version : $"{package.Version} {package.Sha512}");

    /// <summary>Of the user's machine, not of the study: a named set such as the SDK's documentation.</summary>
    private static bool IsOfMachine(ResolvedFiles files) => files.Scheme.Length > 0 && files.Scheme == files.Text;

    private static string Input(Binding binding, Func<Binding, string> digest, Func<string, IReadOnlyDictionary<string, string>> results)
    {
        if (binding.File is not null)
        {
            return digest(binding);
        }

        var given = results(binding.Source!.Id);
        return Combined(binding.Source.Declaration.Outputs.Where(o => o.Kind == binding.Role.Kind && !o.Volatile)
            .SelectMany(o => new[] { o.Name, "*/" + o.Name }).Where(given.ContainsKey).Select(name => new ResultDigest(name, null, given[name])));
    }

    private static string Combined(IEnumerable<ResultDigest> files) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Concat(files.OrderBy(f => f.Name, StringComparer.Ordinal).Select(f => $"{f.Name}\0{f.Sha256}\n")))));
}
