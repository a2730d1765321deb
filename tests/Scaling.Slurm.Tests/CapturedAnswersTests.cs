// Every captured answer of every command is a test case: a file below Answers adds one.
namespace Scaling.Slurm.Tests;

public sealed class CapturedAnswersTests
{
    private static IEnumerable<string> Paths =>
        Directory.EnumerateFiles(CapturedAnswer.Folder, "*.txt", SearchOption.AllDirectories).Where(f => !f.EndsWith(".received.txt", StringComparison.Ordinal)).Select(f => Path.GetRelativePath(CapturedAnswer.Folder, f)).Order(StringComparer.Ordinal);

    public static TheoryData<string> Files() => [.. Paths];

    [Theory]
    [MemberData(nameof(Files))]
    public void Of_every_answer_is_read_what_stands_beside_it(string file)
    {
        string path = Path.Combine(CapturedAnswer.Folder, file);
        string received = Path.ChangeExtension(path, ".received.txt");
        var answer = CapturedAnswer.Of(File.ReadAllText(path));
        string now = answer.Now();
        if (now == answer.Read)
        {
            File.Delete(received);
            return;
        }

        File.WriteAllText(received, (answer with { Read = now }).ToString());
        Assert.Fail($"{file} is read differently. Look at {received}; if it is right, rename it to {Path.GetFileName(path)}.\n--- read now\n{now}--- to be read\n{answer.Read}");
    }

    [Fact]
    public void Answers_of_several_versions_and_of_every_command_are_there()
    {
        string[] files = [.. Paths];

        Assert.True(files.Select(f => f.Split('/')[0]).Distinct().Count() >= 4);
        Assert.All(new[] { "sbatch.", "squeue.", "sacct.", "scontrol_show_job.", "scontrol_show_config.", "scontrol_requeue.", "scancel.", "sinfo." }, command => Assert.Contains(files, f => f.Contains("/" + command, StringComparison.Ordinal)));
    }
}
