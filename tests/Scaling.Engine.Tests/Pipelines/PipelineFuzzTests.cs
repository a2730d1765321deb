// Thousands of broken pipelines: never an exception, and every finding has its place.
using System.Text;
using CsCheck;
using Scaling.Engine.Pipelines;
using Scaling.TestKit;

namespace Scaling.Engine.Tests.Pipelines;

public class PipelineFuzzTests
{
    private const string Pipeline = """
        name: quickstart
        seed: 1
        executor: slurm
        resources: { partition: gpu, nodes: 2, mem: 1.5G, time: 1-02:03:04, flags: [ --nice=5 ] }
        plugins: [ { path: a/b.dll } ]
        stages:
          shapes:
            uses: study
            with:
              sizes: [8k, 16k, 32k]   # parameters
              x: [0.16, 0.24]
              workload: { prompt: 128, output: 64 }
              baseline:
                prompt: "x\n"
              columns: { loss: 'l', b: c }
              tied: true
              corpus: text:data/*.txt
          runs: { uses: study, needs: shapes, timeout: 10m, executor: local, resources: { cpus: 4, time: 90s }, with: { sizes: 1 } }
          law: { uses: study, needs: { runs: runs, table: t.csv } }
          best:
            uses: study
            needs:
              - law
              - runs
        """;

    private static readonly string[] Pieces =
    [
        "[", "]", "{", "}", ":", ": ", "- ", "-", "?", "? ", ",", "#", " #", "&a ", "*a", "!", "!!str ", "|", ">", "'", "\"", "\\", "%", "@", "`", "\n", "\r", "\t", "  ", "---\n", "...\n", "~",
        "null", "\0", "\u0085", "\u2028", "\ud83d", "é", "<<: ", "1e99", "-", "needs: best", "shapes", "a: 1\n", "\"\n", "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
    ];

    [Fact]
    public void A_mutated_pipeline_is_read_or_told_what_is_wrong_with_it()
    {
        using var folder = new TemporaryFolder();
        var edit = Gen.Select(Gen.Int[0, Pipeline.Length - 1], Gen.Int[0, 12], Gen.Int[0, 3], Gen.Int[0, Pieces.Length - 1], Gen.Int[0, Pipeline.Length - 1]);

        edit.Array[1, 6].Sample(
            edits =>
            {
                string text = edits.Aggregate(Pipeline, (current, e) => Edited(current, e.Item1, e.Item2, e.Item3, Pieces[e.Item4], e.Item5));
                Check(folder, text);
            },
            iter: 600, // tests/Scaling.Faults has a hundred thousand.
            threads: 1);
    }

    private static string Edited(string text, int at, int length, int kind, string piece, int from)
    {
        at = Math.Min(at, text.Length);
        length = Math.Min(length, text.Length - at);
        from = Math.Min(from, text.Length);
        return kind switch
        {
            0 => text.Insert(at, piece),
            1 => text.Remove(at, length),
            2 => text.Insert(at, text.Substring(from, Math.Min(length * 5, text.Length - from))),
            _ => text.Remove(at, length).Insert(at, piece),
        };
    }

    private static void Check(TemporaryFolder folder, string text)
    {
        // As bytes, so that a half surrogate becomes a replacement character.
        string file = folder["study.yaml"];
        File.WriteAllBytes(file, Encoding.UTF8.GetBytes(text));
        var (document, findings) = PipelineReader.Read(file);
        Assert.True(document is not null || findings.Count > 0, text);
        int lines = text.Split('\n', '\r', '\u0085', '\u2028').Length;
        var all = findings.Concat((document?.Stages ?? []).SelectMany(s => SettingsBinder.Bind(s.With, Reading.Schema, s.Uses, s.Location).Findings));
        foreach (var finding in all)
        {
            Assert.StartsWith("SCAL20", finding.Code);
            Assert.True(finding.Location is { Line: > 0, Column: > 0 } place && place.File == file && place.Line <= lines + 1, $"{finding}\n{text}");
            Assert.True(finding.Message.Length > 10 && finding.ToString().All(c => !char.IsControl(c)), finding.ToString());
        }
    }
}
