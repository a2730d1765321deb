// How far the actions of a task are, for whoever waits for them: a small file, now and then.
using System.Text.Json;
using Scaling.Engine.Store;
using Scaling.Sdk;

namespace Scaling.Engine.Executors.Slurm;

/// <summary>Writes <c>tasks/INDEX.RESTART.progress</c>: what each action that runs said last. It proves nothing and is lost without harm.</summary>
/// <param name="folder">Of the job.</param>
/// <param name="task">Which.</param>
/// <param name="time">The clock.</param>
public sealed class TaskProgress(JobFolder folder, TaskIdentity task, TimeProvider time)
{
    /// <summary>Between two writes, and between two reads.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    private readonly Dictionary<string, StageProgress> _last = [];
    private long? _written;

    /// <summary>Takes what an action said; from any thread.</summary>
    /// <param name="key">Its key.</param>
    /// <param name="progress">How far it is.</param>
    public void Hear(string key, StageProgress progress)
    {
        lock (_last)
        {
            _last[key] = progress;
            if (_written is { } before && time.GetElapsedTime(before) < Interval)
            {
                return;
            }

            _written = time.GetTimestamp();
            try
            {
                folder.SayProgress(task, JsonSerializer.SerializeToUtf8Bytes(_last, EngineJson.Default.DictionaryStringStageProgress));
                _last.Clear(); // Those that have ended are not said again.
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // The next time.
            }
        }
    }
}
