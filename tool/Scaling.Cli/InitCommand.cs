// init: a first pipeline to run, to read and to change: a whole study, one against a baseline, or one on a table of losses.
using System.Text.Json;
using System.Text.Json.Nodes;
using Scaling.Engine.Files;
using Scaling.Sdk;

namespace Scaling.Cli;

internal static class InitCommand
{
    private const string Law = "laws/paper-80m-297m.json";

    /// <summary>What a fit takes beside CSV.</summary>
    private static readonly string[] Formats = [".parquet", ".jsonl", ".ndjson"];

    /// <summary>A table of losses tells at least one of these by a name that is known.</summary>
    private static readonly string[] Needed = ["parameters", "tokens", "loss"];

    /// <summary>Writes the pipeline, what it reads, and the schema that its first line names; what is there already stays.</summary>
    public static async Task<int> Run(Commands.Invocation call)
    {
        string folder = Path.GetFullPath(call.InitFolder);
        string pipeline = Path.Combine(folder, Commands.UsualPipeline);
        if (File.Exists(pipeline))
        {
            throw new UsageException("SCAL1011", $"There is a {Commands.UsualPipeline} already ({pipeline}); it stays as it is.", "Run it with 'dotnet scaling run', or name another folder: 'dotnet scaling init FOLDER'.");
        }

        var (template, about) = call.InitBaseline is { } config ? AgainstBaseline(config, folder)
            : call.InitTable is { } table ? OnTable(table, folder)
            : (PipelineTemplate.Of("quickstart.yaml"), Quickstart);
        string schema = await LookCommands.SchemaText(call.StoreFolder).ConfigureAwait(false);
        Durable.Write(Path.Combine(folder, "pipeline.schema.json"), schema + "\n");
        if (call.InitBaseline is not null && !File.Exists(Path.Combine(folder, Law)))
        {
            Durable.Write(Path.Combine(folder, Law), PipelineTemplate.Embedded(Path.GetFileName(Law)));
        }

        Durable.Write(pipeline, template.ToString());
        string run = call.InitFolder == "." ? "dotnet scaling run" : $"dotnet scaling run {Path.Combine(call.InitFolder, Commands.UsualPipeline)}";
        Console.Error.WriteLine(
            $"""
            Wrote {pipeline} and the schema by which an editor completes it.
            {about.Replace("\n", Environment.NewLine, StringComparison.Ordinal)}
              {run}
            What would run, and why: dotnet scaling plan. What each setting means: dotnet scaling stage TYPE.
            """);
        return Engine.Execution.ExitCode.Done;
    }

    private const string Quickstart =
        "It trains 48 small decoders on the documentation of your SDK, fits a law and picks a shape: minutes on two cores.\n" +
        "The first run fetches libtorch and what goes with it, 160 MB, where this machine does not have it yet.";

    /// <summary>
    /// The file is named: its size and what else tells the baseline the search reads itself. Depth, head size and grouping are copied, since in a search they are the candidates' and a person's to change.
    /// </summary>
    private static (PipelineTemplate Template, string About) AgainstBaseline(string config, string folder)
    {
        string path = There(config, "--baseline");
        return (
            PipelineTemplate.Of("baseline.yaml").For(Llama(config, path)).With("baselines/llama-3.2-1b.json", Path.GetRelativePath(folder, path)),
            "It searches for shapes of your baseline's size that lose no more and serve faster, by the law that a paper prints, and trains nothing: seconds.\n" +
            "Yours to change first: the device, the workload, and the baseline's loss where you know it.");
    }

    private static (PipelineTemplate Template, string About) OnTable(string file, string folder)
    {
        string path = There(file, "--table");
        string name = string.Concat(Path.GetFileNameWithoutExtension(path).Select(c => char.IsAsciiLetterOrDigit(c) ? char.ToLowerInvariant(c) : '-')).Trim('-');
        var template = PipelineTemplate.Of("own-table.yaml").With("../examples/cpu-study/runs.csv", Path.GetRelativePath(folder, path))
            .With("own-table", name.Length == 0 ? "own-table" : name).With("A study of own losses", $"A study of {Path.GetFileName(path)}"); // Results of two tables lie apart.
        const string About = "It fits a law to your table, scores it on the largest size, and picks a shape; nothing is trained.";
        if (!Formats.Contains(Path.GetExtension(path), StringComparer.OrdinalIgnoreCase))
        {
            try
            {
                template.For(Table.Read(path));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException or ArgumentException or StageFailedException)
            {
                throw new UsageException("SCAL1093", $"--table names '{file}', which cannot be read as a table: {e.Message}", "It takes CSV with a header, Parquet, or JSON Lines with one object a line.");
            }

            if (Needed.All(template.Unrecognised.Contains))
            {
                throw new UsageException(
                    "SCAL1093", $"--table names '{file}', and none of its columns is recognised as {string.Join(", ", Needed)}. It begins with '{Beginning(path)}'.",
                    "Its first line has to name the columns, with commas between them. Of other names than the usual ones write 'columns:' by hand: 'dotnet scaling stage fit'.");
            }

            string unrecognised = template.Unrecognised.Count == 0 ? "" : $"\nNo column was recognised for {string.Join(", ", template.Unrecognised)}: where the table has one, write its name in the place of the comment.";
            string cut = template.IsCut ? "\nNone tells the shape of a model: the search stands in comments until one does, and the report is of the law alone." : "";
            return (template, About + unrecognised + cut);
        }

        template.For(new Table([], []));
        return (template, $"{About}\nOf CSV alone columns are recognised: write yours beneath 'columns' before you run it, and take the search out of its comments where they tell shapes.");
    }

    private static string Beginning(string path)
    {
        string line = File.ReadLines(path).FirstOrDefault() ?? "";
        return line.Length > 60 ? line[..60] + "…" : line;
    }

    private static string There(string file, string option) => File.Exists(file) ? Path.GetFullPath(file)
        : throw new UsageException("SCAL1091", $"{option} names '{file}', and there is no such file.", "Name one that is there.");

    private static JsonObject Llama(string config, string path)
    {
        const string Hint = "Give the config.json of a LlamaForCausalLM, as Hugging Face has it.";
        JsonObject? read;
        try
        {
            read = JsonNode.Parse(File.ReadAllText(path)) as JsonObject;
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new UsageException("SCAL1092", $"--baseline names '{config}', which is no JSON: {e.Message}", Hint);
        }

        string type = read?["model_type"] is JsonValue value && value.TryGetValue(out string? word) ? $"'{word}'" : "not said";
        return type == "'llama'" ? read! : throw new UsageException("SCAL1092", $"--baseline names '{config}', whose 'model_type' is {type}, expected 'llama'.", Hint);
    }
}
