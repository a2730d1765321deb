// stage: the page of a stage type, or the types that there are.
using Scaling.Engine.Execution;
using Scaling.Engine.Pipelines;
using Scaling.Sdk;

namespace Scaling.Cli;

internal static class StageCommand
{
    /// <summary>Prints the page of a type; without one, what there is.</summary>
    public static async Task<int> Run(Commands.Invocation call)
    {
        // A type of the pipeline's plugins wins, as it does when the pipeline is read.
        var stages = await LookCommands.Stages(call).ConfigureAwait(false);
        if (call.StageType is not { } type)
        {
            int width = stages.Max(s => s.Declaration.Type.Length);
            stages.ToList().ForEach(s => Console.Out.WriteLine($"{s.Declaration.Type.PadRight(width)}  {s.Declaration.Summary}"));
            return ExitCode.Done;
        }

        string[] types = [.. stages.Select(s => s.Declaration.Type)];
        Console.Out.Write(StagePage.Of(stages.FirstOrDefault(s => s.Declaration.Type == type) ?? throw new UsageException(
            "SCAL1090", $"There is no stage type '{type}'. There are: {string.Join(", ", types)}.", NearestSpelling.Hint(type, types) ?? "Name a pipeline that uses it behind it: 'dotnet scaling stage TYPE PIPELINE'.")));
        return ExitCode.Done;
    }
}
